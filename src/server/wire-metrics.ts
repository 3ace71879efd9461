import type { Metrics } from '#server/metrics/metrics.ts'
import type { RequestCounts } from '#server/metrics/request-counts.ts'
import type { CountedDatabase } from './counted-database.ts'
import { VERSION } from './version.ts'
import type { Foundation } from './wire-foundation.ts'
import type { wireSync } from './wire-sync.ts'

type Counted = { readonly database: CountedDatabase; readonly requests: RequestCounts }

/** Metrics, where they are wanted. What they need is not even loaded where they are not. */
export const wireMetrics = async (
  services: Foundation & Pick<ReturnType<typeof wireSync>, 'waiters'>,
  counted: Counted,
): Promise<Metrics | undefined> => {
  if (!services.config.server.isMetricsEnabled) return undefined
  const loaded = await import('#server/metrics/metrics.ts')
  return new loaded.Metrics({ ...services, ...counted, version: VERSION })
}
