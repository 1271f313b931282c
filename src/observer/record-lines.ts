/** A run as lines: those of its story, which can be explained, and a line for each frame, which can be looked at. */
import { StoryWriter } from '../explain/index.js'
import type { Story } from '../telemetry/index.js'
import type { KeptFrame } from './history.js'

/** Without their line breaks. Each is made when it is asked for. */
export function* recordLines(
  story: Story,
  frames: readonly KeptFrame[],
  writer = new StoryWriter(),
): Generator<string, void> {
  yield* writer.newIn(story)
  for (const { text } of frames) yield `{"frame":${text}}`
}
