import {
  allocateWaymarks,
  Counters,
  type Happening,
  Meter,
  type MeterOptions,
} from '../../src/telemetry/index.js'

export interface HeardMeterOptions extends Pick<MeterOptions, 'failed'> {
  readonly counters?: Counters
  readonly now?: () => number
  readonly heard?: (happening: Happening) => void
}

/** A probe whose ticks and heartbeats take 25 ms, which tells what happens to `heard`. */
export function meterOf({ counters, now = () => 0, heard, failed }: HeardMeterOptions): Meter {
  let sequence = 0
  return new Meter({
    counters: counters ?? new Counters(Counters.allocate()),
    happenings: {
      tell: (happening) => {
        heard?.(happening)
        return ++sequence
      },
    },
    waymarks: allocateWaymarks(),
    now,
    storyNow: now,
    lastLook: now,
    tickMs: 25,
    heartbeatIntervalMs: 25,
    electionTimeoutMs: 500,
    failed,
  })
}
