import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CountedDatabase } from '#server/counted-database.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import type { CacheCounts } from '#util/byte-cache.ts'
import type { Clock } from '#util/clock.ts'
import { Exposition } from './exposition.ts'
import type { RequestCounts } from './request-counts.ts'

type Deps = {
  readonly version: string
  readonly requests: RequestCounts
  readonly database: CountedDatabase
  readonly committer: { readonly queueLength: number }
  readonly waiters: { readonly count: number }
  readonly caches: { counts(): ReadonlyMap<string, CacheCounts> }
  readonly budget: { readonly bytes: number; readonly maxBytes: number }
  readonly clock: Clock
}

/** A database that has not answered after this is down. */
const PROBE_MS = 2_000
const ONE = row({ id: integer() })

/**
 * All metrics, put together when they are asked for. Where dashboards made for Synapse look for a number, it has Synapse's name; what is
 * only here begins with `myelin_`; `process_` and `nodejs_` (the delay of the event loop, memory, garbage collection) are prom-client's.
 */
export class Metrics {
  readonly #deps: Deps
  readonly #runtime = new Registry()

  constructor(deps: Deps) {
    this.#deps = deps
    collectDefaultMetrics({ register: this.#runtime })
  }

  async print(): Promise<string> {
    const to = new Exposition()
    const { version, requests } = this.#deps
    to.gauge('myelin_build_info', 'The version that runs.', [[{ version, node: process.versions.node }, 1]])
    requests.print(to)
    await this.#printDatabase(to)
    this.#printCaches(to)
    to.gauge('synapse_notifier_listeners', 'Devices that wait for news.', [[{}, this.#deps.waiters.count]])
    return `${to.text}${await this.#runtime.metrics()}`
  }

  async #printDatabase(to: Exposition): Promise<void> {
    const { database, committer } = this.#deps
    to.gauge('myelin_database_up', 'Whether the database answers.', [
      [{ description: database.description }, (await this.#isUp()) ? 1 : 0],
    ])
    to.counter('myelin_database_reads_total', 'Queries that were made.', [[{}, database.reads]])
    to.histogram('myelin_commit_seconds', 'Seconds until a batch was durable.', [[{}, database.commitSeconds]])
    to.histogram('myelin_commit_batch_changes', 'How many changes went into one batch.', [[{}, database.batchSizes]])
    to.counter('myelin_commit_failures_total', 'Batches of which nothing was written.', [[{}, database.failedCommits]])
    to.gauge('myelin_commit_queue_changes', 'Changes that wait for their batch.', [[{}, committer.queueLength]])
    to.counter('synapse_storage_events_persisted_events_total', 'Events that were kept.', [[{}, database.events]])
  }

  async #isUp(): Promise<boolean> {
    const { database, clock } = this.#deps
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(PROBE_MS, () => {
        database.isUp = false
        resolve()
      })
    })
    const probe = database.get(ONE, sql`SELECT ${ONE} FROM deployment`).then(
      () => {},
      () => {},
    )
    await Promise.race([probe, late])
    cancel()
    return database.isUp
  }

  #printCaches(to: Exposition): void {
    const { caches, budget } = this.#deps
    const all = [...caches.counts()]
    const each = (countOf: (counts: CacheCounts) => number) =>
      all.map(([name, counts]) => [{ name }, countOf(counts)] as const)
    const prefix = 'synapse_util_caches_cache'
    to.gauge(
      `${prefix}_size`,
      'Entries of caches.',
      each(({ entries }) => entries),
    )
    to.counter(
      `${prefix}_hits`,
      'How often caches had what was looked for.',
      each(({ hits }) => hits),
    )
    to.counter(
      `${prefix}`,
      'How often something was looked for in caches.',
      each(({ hits, misses }) => hits + misses),
    )
    to.counter(
      `${prefix}_evicted_size`,
      'Entries that had to make room.',
      each(({ evictions }) => evictions),
    )
    to.gauge(
      'myelin_cache_bytes',
      'Bytes of caches.',
      each(({ bytes }) => bytes),
    )
    to.gauge('myelin_memory_budget_bytes', 'What all caches together may take.', [[{}, budget.maxBytes]])
    to.gauge('myelin_memory_used_bytes', 'What all caches together take.', [[{}, budget.bytes]])
  }
}
