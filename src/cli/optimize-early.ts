/** How soon V8 compiles what a program runs. */
import { setFlagsFromString } from 'node:v8'

/** Bytes of bytecode that a function runs between two looks at whether it is worth compiling. V8's own: 67,584. */
const interruptBudget = 10_000
/** From here on V8 has a quick compiler before the thorough one, and no such budget. */
const v8WithQuickCompiler = 12

/**
 * Each node has a heap and a compiler of its own, and with few clients runs each of its functions only a thousand
 * times a second: by V8's own measure many of them stay uncompiled for the first ten seconds. The flag holds for
 * the whole process and all its threads, so it is for programs to set, before they start a cluster, and not for a
 * library.
 */
export function optimizeEarly(): void {
  const v8 = Number.parseInt(process.versions.v8, 10)
  if (v8 < v8WithQuickCompiler) setFlagsFromString(`--interrupt-budget=${interruptBudget}`)
}
