/** The verb that tells why. */
import { explain, type Question } from '../explain/index.js'
import { BadInput } from '../terminal/index.js'
import { verb } from './verb.js'

export const explainVerb = verb('explain', {
  explanation: 'why there was an election, what took a command its time, what stood in the way of commits',
  usage: '[election [TERM]|index N|stall|last]',
  slots: [
    { kind: 'topic', as: 'topic', isOptional: true },
    { kind: 'count', as: 'count', isOptional: true },
  ],
  run(subject, fields) {
    const { data, words } = explain(subject.story(), questionOf(fields))
    return { data: { ...data }, words }
  },
})

/** The question that the words of the verb ask. */
function questionOf({ topic = 'last', count }: { topic?: Question['about']; count?: number }): Question {
  if (topic === 'election') return { about: topic, term: count }
  if (topic === 'index') {
    if (count === undefined) throw new BadInput('explain index: give an index, as in explain index 42')
    return { about: topic, index: count }
  }
  if (count !== undefined) throw new BadInput(`explain ${topic}: there is no number to give, not '${count}'`)
  return { about: topic }
}
