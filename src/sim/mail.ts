/** The messages that were sent: none arrives that is not among them, and none arrives altered. */
import type { Message, NodeId } from '../raft/index.js'
import { Fingerprint } from './fingerprint.js'
import type { Script } from './script.js'

export class Mail {
  readonly #report: (rule: string, detail: string) => void
  readonly #script: Script | undefined
  /** The content of each message on its way, as it was sent, and of each copy that a fault makes of it. */
  readonly #sent = new WeakMap<Message, number>()

  constructor(report: (rule: string, detail: string) => void, script: Script | undefined) {
    this.#report = report
    this.#script = script
  }

  /** `copy` is the one that arrives. */
  sent(message: Message, copy: Message): void {
    this.#sent.set(copy, contentOf(message))
  }

  /** A fault has the message arrive once more. */
  repeated(message: Message, copy: Message): void {
    const content = this.#sent.get(message)
    if (content !== undefined) this.#sent.set(copy, content)
  }

  received(nodeId: NodeId, message: Message): void {
    this.#script?.took(nodeId, message)
    const content = this.#sent.get(message)
    if (content === contentOf(message) && message.to === nodeId) return
    const what = content === undefined ? 'which nobody sent' : 'which is not what was sent'
    const { type, from } = message
    this.#report('messages arrive as they were sent', `node ${nodeId} receives ${type} of ${from}, ${what}`)
  }
}

function contentOf(message: Message): number {
  const fingerprint = new Fingerprint()
  fingerprint.addMessage(message)
  return fingerprint.value
}
