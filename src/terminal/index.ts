/**
 * The parts that raftbox's programs share at a terminal: values of flags, text for people, progress, Ctrl-C, exit
 * codes.
 */
export { checkWritable } from './check-writable.js'
export { BadInput, exitCodeOf, Failed, lineOf, nodeFailure, reportFailure } from './failure.js'
export {
  addFlags,
  decimalNumber,
  type FlagRow,
  oneOf,
  someOf,
  wholeNumber,
  wholeNumberOrOff,
} from './flag-values.js'
export { interruptible } from './interrupt.js'
export { printable } from './printable.js'
export { Progress } from './progress.js'
export { runProgram } from './run-program.js'
export { counted, decimal, paint, significant, table, tableRow, ungrouped } from './text.js'
export { lineBytesMax, typedLine } from './typed-line.js'
export { checkedUtf8, nameOfByte } from './utf8.js'
