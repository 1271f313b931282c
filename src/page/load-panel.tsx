/** The load in the background: how many clients call, how much and how often, and what it comes to. */
import { computed, useSignal } from '@preact/signals'
import { callsUpTo } from './calls-told.js'
import { msInWords, rateInWords } from './figure-words.js'
import { type LoadForm, loadLine } from './form-lines.js'
import { LineButton, LinePreview, TextField } from './line-form.js'
import { nowAndThen } from './now-and-then.js'
import { frames, newestFrame, shownFrame } from './store.js'

export function LoadPanel() {
  const clients = useSignal('64')
  const size = useSignal('128B')
  const rate = useSignal('')
  const running = clientsNow.value
  const form: LoadForm = { clients: clients.value, size: size.value, rate: rate.value }
  return (
    <>
      <h2>Load</h2>
      <p class="soft">
        Clients put keys in the background, so that a fault is felt by somebody. Without a rate each client
        calls again as soon as it is answered.
      </p>
      <div class="panel-form">
        <TextField label="clients" value={clients} />
        <span />
        <TextField label="size" value={size} placeholder="128B" />
        <span />
        <TextField label="rate" value={rate} placeholder="as fast as answered, or 1000/s" />
        <span />
      </div>
      <LinePreview told={loadLine(form)} />
      <div class="panel-buttons">
        {running > 0 ? (
          <LineButton told={{ line: 'load off' }} words="end the load" isMain={true} />
        ) : (
          <LineButton told={loadLine(form)} words="begin" isMain={true} />
        )}
        {running > 0
          ? null
          : usual.map(([words, each]) => (
              <button
                key={words}
                type="button"
                onClick={() => {
                  clients.value = each.clients
                  size.value = each.size
                  rate.value = each.rate
                }}
              >
                {words}
              </button>
            ))}
      </div>
      <Felt />
    </>
  )
}

/** At present, as lines act on the present. A frame in which nothing of it changed makes nothing anew. */
const clientsNow = computed(() => newestFrame.value?.loadClients ?? 0)
const clientsShown = computed(() => shownFrame.value?.loadClients ?? 0)

const usual: readonly (readonly [words: string, form: LoadForm])[] = [
  ['a trickle', { clients: '4', size: '128B', rate: '20/s' }],
  ['steady', { clients: '64', size: '128B', rate: '2000/s' }],
  ['all it can', { clients: '256', size: '128B', rate: '' }],
]

const second = computed(() => callsUpTo(frames.value, shownFrame.value?.atMs ?? 0))
const told = nowAndThen(second, 500)

function Felt() {
  const { coveredMs, count, failed, p50us, p99us } = told.value
  const clients = clientsShown.value
  const rate = (calls: number) => (coveredMs === 0 ? '–' : rateInWords((calls * 1000) / coveredMs))
  return (
    <>
      <h3>{clients === 0 ? 'no load; calls of the last second' : `${clients} clients; the last second`}</h3>
      <table class="figures">
        <tbody>
          <tr>
            <th scope="row">calls answered</th>
            <td>{rate(count)}</td>
          </tr>
          <tr>
            <th scope="row">calls that failed</th>
            <td class={failed > 0 ? 'bad' : ''}>{rate(failed)}</td>
          </tr>
          <tr>
            <th scope="row">half of them within</th>
            <td>{count === 0 ? '–' : msInWords(p50us / 1000)}</td>
          </tr>
          <tr>
            <th scope="row">99 of 100 within</th>
            <td>{count === 0 ? '–' : msInWords(p99us / 1000)}</td>
          </tr>
        </tbody>
      </table>
    </>
  )
}
