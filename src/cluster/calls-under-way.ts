/** Calls for nodes that are under way. The client has calls of its own, and ends them in the same way. */
export class CallsUnderWay {
  readonly #calls = new Set<Promise<unknown>>()

  /** The call, as its caller is to wait for it. */
  add<Value>(made: Promise<Value>): Promise<Value> {
    const call = made.finally(() => this.#calls.delete(call))
    this.#calls.add(call)
    return call
  }

  /** The close ends the calls. A caller may look at a call only afterwards: until then its rejection ends no process. */
  close(): void {
    for (const call of this.#calls) call.catch(() => undefined)
  }
}
