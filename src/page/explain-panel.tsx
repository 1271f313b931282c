/** Answers to why: what led to a line of the feed, why there was an election, which way a command took. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Election, Question } from '../explain/index.js'
import { describeHappened, type Happened } from '../telemetry/index.js'
import { wordsOf } from './api.js'
import { Choices } from './choices.js'
import { CopyButton } from './copy-button.js'
import { beginAnswers, type Explained, explained, pictureBetween, stretchOf, trouble } from './explained.js'
import { causesOf, effectsOf, lineOfQuestion, lineWith } from './feed-lines.js'
import { momentOf, pick, picked } from './picked.js'
import { PictureDialog } from './picture-dialog.js'
import { events, head, question } from './store.js'
import { WayPicture } from './way-picture.js'
import './explain-panel.css'

export function ExplainPanel() {
  useEffect(beginAnswers, [])
  return (
    <div class="explain">
      <Questions />
      <Picked />
      <AnswerView />
    </div>
  )
}

const usual: readonly (readonly [title: string, asked: Question])[] = [
  ['what happened last', { about: 'last' }],
  ['latest election', { about: 'election' }],
  ['longest stall', { about: 'stall' }],
]

function Questions() {
  const index = useSignal('')
  const asked = question.value
  const ask = (event: Event) => {
    event.preventDefault()
    const number = Number(index.value)
    if (Number.isSafeInteger(number) && number > 0) question.value = { about: 'index', index: number }
  }
  return (
    <>
      <div class="explain-questions">
        <Choices
          choices={usual.map(([words, each]) => ({
            ...{ words, isChosen: asked?.about === each.about },
            choose: () => (question.value = { ...each }),
          }))}
        />
        <form onSubmit={ask}>
          <label>
            way of index{' '}
            <input
              type="text"
              inputMode="numeric"
              size={7}
              value={index.value}
              onInput={({ currentTarget }) => (index.value = currentTarget.value)}
            />
          </label>
        </form>
      </div>
      {asked === undefined ? null : (
        <p class="explain-line">
          <code>{lineOfQuestion(asked)}</code>
          <CopyButton text={lineOfQuestion(asked)} />
        </p>
      )}
    </>
  )
}

/** The line of the feed that was clicked, between its causes and what came of it. */
function Picked() {
  const told = picked.value
  if (told === undefined) {
    if (question.value !== undefined) return null
    return (
      <p class="soft">
        Click a line of the feed, an entry of a log, or one of the questions above. Each answer comes out of
        what the nodes themselves told.
      </p>
    )
  }
  const causes = causesOf(events.value, told).toReversed()
  const effects = effectsOf(events.value, told)
  return (
    <ol class="explain-chain" aria-label="what led to it, and what came of it">
      {causes.map((cause) => (
        <ChainLine key={cause.sequence} told={cause} kind="cause" />
      ))}
      <ChainLine told={told} kind="itself" />
      {effects.slice(0, effectsMax).map((effect) => (
        <ChainLine key={effect.sequence} told={effect} kind="effect" />
      ))}
      {effects.length > effectsMax ? <li class="soft">and {effects.length - effectsMax} more</li> : null}
      {causes.length === 0 ? <li class="soft">no cause of it is known, or it is no longer kept</li> : null}
    </ol>
  )
}

const effectsMax = 8

function ChainLine({ told, kind }: { told: Happened; kind: 'cause' | 'itself' | 'effect' }) {
  const words = describeHappened(told, head.value?.tickMs ?? 1, lineWith(events.value, told.cause))
  return (
    <li class={`chain-${kind}`}>
      <time class="soft">{momentOf(told.atMs)}</time>
      {kind === 'itself' ? (
        <strong>{words}</strong>
      ) : (
        <button type="button" class="quiet" onClick={() => pick(told)}>
          {words}
        </button>
      )}
    </li>
  )
}

function AnswerView() {
  if (question.value === undefined) return null
  if (trouble.value !== undefined)
    return (
      <p class="bad" role="alert">
        {trouble.value}
      </p>
    )
  const answer = explained.value
  if (answer === undefined) return <p class="soft">…</p>
  return (
    <div class="explain-answer" aria-live="polite">
      {answer.data.type === 'command' ? <WayPicture way={answer.data} /> : null}
      {answer.data.type === 'election' ? <Votes of={answer.data} /> : null}
      <Words of={answer.words} />
      <PictureButton of={answer} />
    </div>
  )
}

/** Lines as a terminal has them: those that are set in stay so when they are wrapped. */
function Words({ of }: { of: string }) {
  return (
    <div class="explain-words">
      {of.split('\n').map((line, at) => (
        <p key={at} class={line.startsWith(' ') ? 'set-in' : ''}>
          {line.trim()}
        </p>
      ))}
    </div>
  )
}

/** Why each vote was given or refused, in a few words. The feed has whole sentences. */
const voteReasons: Readonly<Record<Election['votes'][number]['reason'], string>> = {
  logUpToDate: 'log is up to date',
  votedBefore: 'had given it already',
  earlierTerm: 'knows a later term',
  votedForAnother: 'voted for another',
  logBehind: 'log lacks entries',
  diskLost: 'lost its own disk',
  leaderMayBeAlive: 'a leader may be alive',
}

function Votes({ of: { votes } }: { of: Election }) {
  if (votes.length === 0) return null
  return (
    <table class="figures">
      <caption>votes</caption>
      <thead>
        <tr>
          <th scope="col">at</th>
          <th scope="col">voter</th>
          <th scope="col">for</th>
          <th scope="col">answer</th>
          <th scope="col">because</th>
        </tr>
      </thead>
      <tbody>
        {votes.map(({ atMs, voterId, candidateId, isPreVote, voteGranted, reason }) => (
          <tr key={`${voterId} ${candidateId} ${isPreVote}`}>
            <td>{momentOf(atMs)}</td>
            <td>{voterId}</td>
            <td>{candidateId}</td>
            <td class={voteGranted ? 'good' : 'bad'}>
              {voteGranted ? 'yes' : 'no'}
              {isPreVote ? ', pre-vote' : ''}
            </td>
            <td>{voteReasons[reason]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function PictureButton({ of }: { of: Explained }) {
  const drawn = useSignal<string | undefined>(undefined)
  const why = useSignal<string | undefined>(undefined)
  const stretch = stretchOf(of)
  if (stretch === undefined) return null
  const draw = async () => {
    why.value = undefined
    try {
      drawn.value = await pictureBetween(...stretch)
    } catch (error) {
      why.value = wordsOf(error)
    }
  }
  return (
    <>
      <button type="button" onClick={() => void draw()}>
        picture of who said what to whom
      </button>
      {why.value === undefined ? null : <p class="bad">{why.value}</p>}
      {drawn.value === undefined ? null : (
        <PictureDialog svg={drawn.value} onClose={() => (drawn.value = undefined)} />
      )}
    </>
  )
}
