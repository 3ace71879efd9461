import type { AnsweredRequest } from '#http/server/answered.ts'
import type { Exposition, Labels } from './exposition.ts'
import { Histogram } from './histogram.ts'

/** Upper bounds in seconds, those that Prometheus's own clients have. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

type Series = {
  readonly labels: Labels & { readonly method: string; readonly servlet: string; readonly tag: string }
  readonly code: string
  readonly seconds: Histogram
  bytes: number
  reads: number
  readSeconds: number
}

/** Counts requests by what they asked for and how they were answered. Counting one is a look-up and some additions. */
export class RequestCounts {
  readonly #series = new Map<string, Series>()
  readonly #inFlight = new Map<string, number>()

  began(endpointId: string): void {
    this.#inFlight.set(endpointId, (this.#inFlight.get(endpointId) ?? 0) + 1)
  }

  answered({ endpointId, method, status, tag, seconds, sendSeconds, bytes, work }: AnsweredRequest): void {
    // What began is over.
    if (work !== undefined) this.#inFlight.set(endpointId, (this.#inFlight.get(endpointId) ?? 1) - 1)
    const key = `${endpointId} ${method} ${status} ${tag}`
    let series = this.#series.get(key)
    if (series === undefined) {
      const labels = { method, servlet: endpointId === '' ? 'none' : endpointId, tag }
      series = { labels, code: String(status), seconds: new Histogram(SECONDS), bytes: 0, reads: 0, readSeconds: 0 }
      this.#series.set(key, series)
    }
    series.seconds.observe(seconds + sendSeconds)
    series.bytes += bytes
    if (work === undefined) return
    series.reads += work.reads
    series.readSeconds += work.readMs / 1000
  }

  /** Under the names that Synapse has for them. */
  print(to: Exposition): void {
    const all = [...this.#series.values()]
    const byServlet = (countOf: (series: Series) => number) => summed(all, ({ labels }) => labels, countOf)
    const prefix = 'synapse_http_server_'
    to.counter(
      `${prefix}response_count_total`,
      'Requests that were answered, by operation.',
      byServlet(({ seconds }) => seconds.count),
    )
    to.counter(
      `${prefix}responses_total`,
      'Requests that were answered, by status.',
      summed(
        all,
        ({ labels: { method }, code }) => ({ method, code }),
        ({ seconds }) => seconds.count,
      ),
    )
    to.histogram(
      `${prefix}response_time_seconds`,
      'Seconds until requests were answered.',
      all.map(({ labels, code, seconds }) => [{ ...labels, code }, seconds]),
    )
    to.counter(
      `${prefix}response_size_total`,
      'Bytes of answers.',
      byServlet(({ bytes }) => bytes),
    )
    to.counter(
      `${prefix}response_db_txn_count_total`,
      'Reads of the database for requests.',
      byServlet(({ reads }) => reads),
    )
    to.counter(
      `${prefix}response_db_txn_duration_seconds_total`,
      'Seconds of waiting for such reads.',
      byServlet(({ readSeconds }) => readSeconds),
    )
    to.gauge(
      `${prefix}in_flight_requests_count`,
      'Requests that are being answered.',
      [...this.#inFlight].map(([servlet, count]) => [{ servlet }, count]),
    )
  }
}

/** Series that have the same labels are one. */
function summed(
  all: readonly Series[],
  labelsOf: (series: Series) => Labels,
  countOf: (series: Series) => number,
): (readonly [Labels, number])[] {
  const sums = new Map<string, [Labels, number]>()
  for (const series of all) {
    const labels = labelsOf(series)
    const key = Object.values(labels).join(' ')
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, [labels, countOf(series)])
    else sum[1] += countOf(series)
  }
  return [...sums.values()]
}
