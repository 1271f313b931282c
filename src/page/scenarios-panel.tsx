/** Scenarios: the list of them, and the one that is followed, with its steps, its story and its verdict. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { ScenarioResult } from '../server/index.js'
import { CopyButton } from './copy-button.js'
import { msInWords } from './figure-words.js'
import {
  endScenario,
  followScenario,
  leaveScenario,
  readScenarios,
  refused,
  running,
  type ScenarioListed,
  scenarios,
  startScenario,
  story,
} from './scenario-follow.js'
import { isOver, stepState } from './scenario-story.js'
import { subject } from './store.js'
import './scenarios-panel.css'

export function ScenariosPanel() {
  return (
    <>
      {refused.value === undefined ? null : (
        <p class="bad" role="alert">
          {refused.value}
        </p>
      )}
      {subject.value === 'scenario' ? <Followed /> : <List />}
    </>
  )
}

function List() {
  useEffect(() => void readScenarios(), [])
  return (
    <>
      <h2>Scenarios</h2>
      <p class="soft">
        Each breaks a cluster of its own, on real threads and under load, and says whether all promises were
        kept. This page shows that cluster meanwhile; the sandbox's own goes on.
      </p>
      {running.value === undefined ? null : (
        <p>
          <strong>{running.value}</strong> runs.{' '}
          <button type="button" class="main" onClick={followScenario}>
            follow it
          </button>
        </p>
      )}
      <ul class="scenarios">
        {scenarios.value.map((each) => (
          <Listed key={each.name} scenario={each} />
        ))}
      </ul>
    </>
  )
}

function Listed({ scenario: { name, teaches, hosts, nodes } }: { scenario: ScenarioListed }) {
  const canRun = hosts.includes('threads')
  return (
    <li>
      <button
        type="button"
        disabled={!canRun || running.value !== undefined}
        aria-label={`start ${name}`}
        title={canRun ? `start ${name}` : `runs on ${hosts.join(' and ')} only: raftbox scenario ${name}`}
        onClick={() => void startScenario(name)}
      >
        start
      </button>
      <details>
        <summary>
          <strong>{name}</strong> <span class="soft">{nodes} nodes</span>
        </summary>
        <p>{teaches.trim()}</p>
        <p class="scenario-line">
          <code>raftbox scenario {name}</code>
          <CopyButton text={`raftbox scenario ${name}`} />
        </p>
      </details>
      <p class="scenario-teaches soft">{firstSentence(teaches)}</p>
    </li>
  )
}

function firstSentence(text: string): string {
  const [first = ''] = text.trim().split(/(?<=\.)\s/)
  return first
}

function Followed() {
  const { head, result, failed } = story.value
  return (
    <>
      <h2>{head?.name ?? '…'}</h2>
      <p class="soft">{head?.teaches.trim()}</p>
      <div class="panel-buttons">
        {isOver(story.value) ? null : (
          <button type="button" onClick={() => void endScenario()}>
            end it
          </button>
        )}
        <button type="button" class="main" onClick={leaveScenario}>
          back to the cluster
        </button>
      </div>
      <div aria-live="polite">
        {result === undefined ? null : <Verdict result={result} />}
        {failed === undefined || result !== undefined ? null : <p class="bad">{failed}</p>}
      </div>
      <Steps />
      {result === undefined ? <Expectations /> : null}
      <StoryLines />
    </>
  )
}

function Verdict({ result }: { result: ScenarioResult }) {
  const { verdict, expectations, brokenPromises, failedStep, explained } = result
  const { acknowledged, lost, unknown, elections, unavailableMs } = result
  return (
    <section class={`verdict ${verdict}`} aria-label="verdict">
      <p>
        <strong>{verdict === 'passed' ? 'All promises were kept' : 'Not as it should be'}</strong>
      </p>
      {failedStep === undefined ? null : <p class="bad">{failedStep}</p>}
      {brokenPromises.map((line) => (
        <p key={line} class="bad">
          {line}
        </p>
      ))}
      <ul class="expectations">
        {expectations.map(({ text, met, found }) => (
          <li key={text}>
            <span class={met ? 'good' : 'bad'}>{met ? '✓ met' : '✗ not met'}</span> {text}
            <span class="soft"> ({found})</span>
          </li>
        ))}
      </ul>
      <p class="soft">
        {acknowledged.toLocaleString('en')} writes acknowledged, {lost} of them lost, {unknown} unknown;{' '}
        {elections} elections; at most {msInWords(unavailableMs)} without an answer
      </p>
      {explained.length === 0 ? null : (
        <>
          <h3>why</h3>
          {explained.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </>
      )}
    </section>
  )
}

const marks = { done: '✓', now: '▸', failed: '✗', 'to come': '·' } as const

function Steps() {
  const { head } = story.value
  if (head === undefined) return null
  return (
    <>
      <h3>steps</h3>
      <ol class="steps">
        {head.steps.map((step, at) => {
          const state = stepState(story.value, at)
          return <Step key={at} step={step} state={state} />
        })}
      </ol>
    </>
  )
}

function Step({ step, state }: { step: string; state: keyof typeof marks }) {
  return (
    <li class={`step-${state.replace(' ', '-')}`} aria-current={state === 'now' ? 'step' : undefined}>
      <span aria-hidden="true">{marks[state]}</span> {step}
      <span class="unseen">, {state}</span>
    </li>
  )
}

function Expectations() {
  const { head } = story.value
  if (head === undefined || head.expectations.length === 0) return null
  return (
    <>
      <h3>to be expected</h3>
      <ul class="expectations">
        {head.expectations.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  )
}

const linesShown = 300

/** The story stays at its end, as long as the reader does. */
function StoryLines() {
  const box = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  const { lines, linesLeftOut } = story.value
  useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines])
  const first = Math.max(0, lines.length - linesShown)
  const leftOut = linesLeftOut + first
  return (
    <>
      <h3>story</h3>
      {leftOut > 0 ? <p class="soft">{leftOut} lines before these are left out</p> : null}
      <ol
        ref={box}
        class="story"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reached by keys.
        tabIndex={0}
        aria-label="story"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 20
        }}
      >
        {lines.slice(first).map(({ text, sinceMs, isStep }, at) => (
          <li key={linesLeftOut + first + at} class={isStep ? 'is-step' : ''}>
            <time class="soft">{(sinceMs / 1000).toFixed(3)}</time> {text}
          </li>
        ))}
      </ol>
    </>
  )
}
