import type { TableProgress } from '#storage/port/table-run.ts'

/** What share of a table's work is behind when a phase begins, and what share the phase is. */
const SHARES: Readonly<Record<TableProgress['phase'], readonly [number, number]>> = {
  compare: [0, 0.3],
  copy: [0.3, 0.4],
  index: [0.7, 0],
  verify: [0.8, 0.2],
  done: [1, 0],
}

/** Every row costs, and so does every table. */
const weightOf = (rows: number): number => rows + 10

/** How far a port is: what each table told last. */
export class PortProgress {
  readonly tables = new Map<string, TableProgress>()
  step = ''
  readonly #now: () => number
  readonly #start: number
  #copyingSince: number | undefined

  constructor(now: () => number) {
    this.#now = now
    this.#start = now()
  }

  counted(rows: ReadonlyMap<string, number>): void {
    this.#copyingSince = this.#now()
    for (const [table, total] of rows) this.tables.set(table, { table, phase: 'compare', done: 0, total })
  }

  told(progress: TableProgress): void {
    this.tables.set(progress.table, progress)
  }

  get elapsedMs(): number {
    return this.#now() - this.#start
  }

  /** 0 to 1. */
  get share(): number {
    let [done, all] = [0, 0]
    for (const progress of this.tables.values()) {
      const weight = weightOf(progress.total)
      done += weight * shareOf(progress)
      all += weight
    }
    return all === 0 ? 0 : done / all
  }

  /** Rows a second, of what is done so far. */
  get rate(): number {
    const seconds = (this.#now() - (this.#copyingSince ?? this.#now())) / 1000
    const rows = [...this.tables.values()].reduce((sum, one) => sum + one.total * shareOf(one), 0)
    return seconds < 0.5 ? 0 : rows / seconds
  }

  /** Milliseconds still to come, or `undefined` while nobody can say. */
  get leftMs(): number | undefined {
    const { share } = this
    if (this.#copyingSince === undefined || share < 0.005) return undefined
    return ((this.#now() - this.#copyingSince) * (1 - share)) / share
  }
}

/** How much of a table is done, 0 to 1. */
export const shareOf = ({ phase, done, total }: TableProgress): number => {
  const [before, own] = SHARES[phase]
  return before + own * (total === 0 ? 0 : Math.min(1, done / total))
}

/** `1 h 02 min`, `3 min 07 s`, `12 s`. */
export const printDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const two = (number: number) => String(number).padStart(2, '0')
  if (hours > 0) return `${hours} h ${two(minutes)} min`
  return minutes > 0 ? `${minutes} min ${two(seconds % 60)} s` : `${seconds} s`
}

/** What a phase is called while it runs. */
export const PHASE_NAMES: Readonly<Record<TableProgress['phase'], string>> = {
  compare: 'comparing',
  copy: 'copying',
  index: 'indexing',
  verify: 'verifying',
  done: 'done',
}
