/** The numbered rules of each `SPEC.md`, and the tests which cite them. */
import { type SourceTree, stringsOf } from './source-tree.js'

const ruleLine = /^- \[([A-Z]{2,}\d+)\]/gm

/** The numbers of all rules, in the order of the file. */
export function rulesOf(spec: string): string[] {
  return [...spec.matchAll(ruleLine)].flatMap((match) => match[1] ?? [])
}

/** `[EL1] one vote a term`, or `[EL1][EL2] …` where a test holds two rules. */
const leadingCitations = /^(?:\[[A-Z]{2,}\d+\][ ,]*)+/

/**
 * Rule numbers, each with the files that cite it. A test cites a rule by a title that begins with the
 * number; a title that is made from a table stands as a string in the table, so any string may do it.
 */
function citationsOf(tests: SourceTree): ReadonlyMap<string, ReadonlySet<string>> {
  const citations = new Map<string, Set<string>>()
  for (const [path, text] of tests) {
    for (const title of stringsOf(text)) {
      for (const rule of leadingCitations.exec(title)?.[0].match(/[A-Z]{2,}\d+/g) ?? []) {
        citations.set(rule, (citations.get(rule) ?? new Set()).add(path))
      }
    }
  }
  return citations
}

/** Rules numbered twice, rules that no test cites, and citations of rules which do not exist. */
export function brokenRules(spec: string, tests: SourceTree): string[] {
  const rules = rulesOf(spec)
  const citations = citationsOf(tests)
  return [
    ...rules.filter((rule, at) => rules.indexOf(rule) !== at).map((rule) => `[${rule}] is numbered twice`),
    ...rules.filter((rule) => !citations.has(rule)).map((rule) => `[${rule}] is cited by no test`),
    ...[...citations]
      .filter(([rule]) => !rules.includes(rule))
      .map(([rule, paths]) => `[${rule}] is cited in ${[...paths].join(', ')} and is no rule`),
  ]
}
