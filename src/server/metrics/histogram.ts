/** Counts values by size: how many were at most so large. */
export class Histogram {
  readonly #bounds: readonly number[]
  /** By the first bound that is not below the value; the last is for those above all. */
  readonly #counts: number[]
  sum = 0

  /** `bounds` rise. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.sum += value
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Pairs of a bound, as Prometheus writes it, and how many values were at most that. */
  *cumulative(): Generator<readonly [string, number]> {
    let sum = 0
    for (const [index, count] of this.#counts.entries()) {
      sum += count
      yield [String(this.#bounds[index] ?? '+Inf'), sum]
    }
  }
}
