/** How soon V8 compiles what a program runs, and who takes its garbage away, and when. */
import { setFlagsFromString } from 'node:v8'

/** Bytes of bytecode that a function runs between two looks at whether it is worth compiling. V8's own: 67,584. */
const interruptBudget = 10_000
/** From here on V8 has a quick compiler before the thorough one, and no such budget. */
const v8WithQuickCompiler = 12
/** By how much a heap grows between two full collections, in percent; without it V8 goes by what they cost. */
const heapGrowingPercent = 300

/**
 * Each node has a heap and a compiler of its own, and with few clients runs each of its functions only a thousand
 * times a second: by V8's own measure many of them stay uncompiled for the first ten seconds. The heap of the clients holds
 * ten megabytes, and what counts against its growth are the buffers that pass through it: V8 would collect it in full a
 * dozen times a second, with threads of its own on the nodes' cores. They would free the buffers, too: here each thread
 * frees its own. (The heaps of nodes begin large enough in any program.) The flags hold for the whole process and all its
 * threads, so they are for programs to set, before they start a cluster, and not for a library.
 */
export function tuneV8(): void {
  const v8 = Number.parseInt(process.versions.v8, 10)
  if (v8 < v8WithQuickCompiler) setFlagsFromString(`--interrupt-budget=${interruptBudget}`)
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`)
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
}
