import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Endpoint } from '#api/endpoint.ts'
import { getHealth } from '#api/health.ts'
import { getMetrics } from '#api/metrics.ts'
import { limitExceeded, unknown } from '#protocol/errors.ts'

/** More waiting changes than this, and new requests are sent away until there are fewer. */
const MAX_QUEUE = 5_000
/** As for the queue: a main thread that is this much behind. */
const MAX_DELAY_MS = 1_500

/** Who watches the server must see it when it is busiest. */
const WATCHERS: ReadonlySet<string> = new Set([getHealth.id, getMetrics.id])

type Watched = { readonly committer: { readonly queueLength: number } }

/** Lets requests in while there is room: beyond that, they are answered with `M_LIMIT_EXCEEDED` rather than late. */
export const admission = ({ committer }: Watched, isStopping: () => boolean): ((endpoint: Endpoint) => void) => {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let checkedAt = 0
  let isLate = false
  return (endpoint) => {
    if (isStopping()) throw unknown('The server is stopping', { status: 503 })
    if (WATCHERS.has(endpoint.id)) return
    const now = performance.now()
    if (now - checkedAt > 250) {
      isLate = delay.percentile(50) / 1e6 > MAX_DELAY_MS
      delay.reset()
      checkedAt = now
    }
    if (isLate || committer.queueLength > MAX_QUEUE) throw limitExceeded({ retryAfterMs: 500 })
  }
}
