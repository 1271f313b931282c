/** The client of the handle: unknown outcomes, copies of calls, room, and ports. */
import { byTests } from '../mutant.js'

const clientFile = 'src/cluster/client.ts'
const clientSession = 'src/cluster/client-session.ts'
const endErrors = 'src/cluster/end-errors.ts'

export const client = [
  ...byTests(
    ['test/cluster/client-session.test.ts'],
    [
      {
        id: 'doubt-forgotten',
        breaks: 'OU1',
        what: 'a call whose first copy is in doubt goes on in another session',
        file: clientSession,
        find: "if (isOfEarlier && request.whyUnknown !== undefined) return 'lost'\n",
        replace: '',
      },
      {
        id: 'outstanding-calls-given-up',
        breaks: 'OU9',
        what: 'each call says that the client waits for none before it',
        file: clientSession,
        find: 'const [firstOutstanding = sequence] = this.#outstanding\n',
        replace: 'const firstOutstanding = sequence\n',
      },
      {
        id: 'copy-gets-own-place',
        breaks: 'OU9',
        what: 'a call that is sent again gets another place in its session',
        file: clientSession,
        find: 'if (isOfEarlier) {',
        replace: 'if (isOfEarlier || request.whyUnknown !== undefined) {',
      },
      {
        id: 'forgotten-answer-told-as-applied',
        breaks: 'OU1',
        what: 'a call in doubt whose session has expired is sent in another one',
        file: clientFile,
        find: "if (status === 'expired' && request.whyUnknown === undefined) return this.#sendAgain(request)",
        replace:
          "if (status === 'expired') {\n      request.whyUnknown = undefined\n      return this.#sendAgain(request)\n    }",
      },
      {
        id: 'all-late-calls-repeated',
        breaks: 'OU9',
        what: 'a leader that answers nothing gets copies of all its calls',
        file: 'src/cluster/requests.ts',
        find: "(request) => isLate(request) && (request.type !== 'propose' || request === firstCommand),",
        replace: '(request) => isLate(request),',
      },
    ],
  ),
  ...byTests(
    ['test/cluster/client.test.ts'],
    [
      {
        id: 'sent-call-told-as-stopped',
        breaks: 'OU1',
        what: 'a call that was sent and not answered is told as not applied when the cluster closes',
        file: endErrors,
        find: "type === 'propose' && (sentTo !== undefined || whyUnknown !== undefined)",
        replace: "type === 'propose' && whyUnknown !== undefined",
      },
      {
        id: 'unknown-told-as-refused',
        breaks: 'OU1',
        what: 'an outcome that the node does not know is told as a lack of a leader',
        file: endErrors,
        find: "if (whyUnknown !== undefined) return new RaftError('UNKNOWN_OUTCOME', { why: whyUnknown })\n",
        replace: '',
      },
      {
        id: 'refused-calls-out-of-order',
        breaks: 'CA10',
        what: 'calls that were refused leave behind later ones',
        file: clientFile,
        find: 'while (at > 0 && (unsent[at - 1]?.place ?? 0) > place) at--\n',
        replace: '',
      },
      {
        id: 'overloaded-leader-asked-at-once',
        breaks: 'OU4',
        what: 'a leader that is overloaded is asked again without a pause',
        file: clientFile,
        find: 'if (isBusy && request?.target === undefined) this.#backOff.refused()\n',
        replace: '',
      },
    ],
  ),
  ...byTests(
    ['test/cluster/deadlines.test.ts'],
    [
      {
        id: 'room-of-settled-calls-kept',
        breaks: 'CA6',
        what: 'the bytes of a settled call stay counted',
        file: clientFile,
        find: 'this.#holds(request.queue, -(request.weight + request.partsBytes))\n',
        replace: '',
      },
      {
        id: 'deadline-before-answers',
        breaks: 'OU5',
        what: 'a deadline is judged before the answers that lie in the ports',
        file: clientFile,
        find: 'for (const nodeId of this.#ports.keys()) this.drain(nodeId)\n    const nowMs',
        replace: 'const nowMs',
      },
      {
        id: 'port-of-gone-node-open',
        breaks: 'CL2',
        what: 'the port of a node that is gone is not closed',
        file: clientFile,
        find: 'this.#ports.get(nodeId)?.close()\n',
        replace: '',
      },
    ],
  ),
]
