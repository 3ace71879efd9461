import type { Calibration } from './calibration.ts'
import type { Figure } from './rows.ts'

/** What a figure must be at most (or at least, of rates), on a machine like the one that the budgets were set on. */
export type Budget = {
  readonly name: string
  readonly kind: 'most' | 'least'
  readonly sqlite: number | undefined
  readonly postgres: number | undefined
  /** What a slower machine makes slower; `nothing` for bytes and ratios. */
  readonly scales: 'cpu' | 'disk' | 'start' | 'nothing'
}

const same = (value: number) => ({ sqlite: value, postgres: value })

/** The budgets, by the names of the figures. */
export const BUDGETS: readonly Budget[] = [
  { name: 'send to sync, p50', kind: 'most', sqlite: 2.5, postgres: 3, scales: 'disk' },
  { name: 'send to sync, p99', kind: 'most', ...same(20), scales: 'disk' },
  { name: 'local sends', kind: 'least', sqlite: 3_000, postgres: 3_500, scales: 'cpu' },
  { name: 'local sends with 10 syncs each', kind: 'least', ...same(900), scales: 'cpu' },
  { name: 'many rooms against few', kind: 'most', ...same(1.2), scales: 'nothing' },
  { name: 'first sync of 500 rooms', kind: 'most', ...same(100), scales: 'cpu' },
  { name: 'memory with 10,000 waiting', kind: 'most', ...same(300), scales: 'nothing' },
  { name: 'memory when idle', kind: 'most', ...same(120), scales: 'nothing' },
  { name: 'second start to first answer', kind: 'most', ...same(300), scales: 'start' },
  { name: 'state resolution, 2 x 50,000, 100 conflicts', kind: 'most', ...same(20), scales: 'cpu' },
  { name: 'states with index, of raw event bytes', kind: 'most', ...same(0.35), scales: 'nothing' },
  { name: 'of that the state, against as many commits of a log entry', kind: 'most', ...same(40), scales: 'cpu' },
  { name: 'load 28913 entries, warm', kind: 'most', ...same(30), scales: 'cpu' },
  { name: 'load 28913 entries, cold', kind: 'most', ...same(150), scales: 'disk' },
  { name: 'port against a plain COPY', kind: 'least', ...same(0.5), scales: 'nothing' },
  { name: 'difference of two of 50000 in 10, from the database', kind: 'most', ...same(2), scales: 'cpu' },
]

/** A figure beside its budget. */
export type Judged = Figure & {
  readonly budget: number | undefined
  readonly holds: boolean | undefined
}

/** Holds a figure against its budget, as the calibration scales it. */
export const judge = (figure: Figure, database: 'sqlite' | 'postgres', calibration: Calibration): Judged => {
  const budget = BUDGETS.find(({ name }) => name === figure.name)
  const value = budget?.[database]
  if (budget === undefined || value === undefined) return { ...figure, budget: undefined, holds: undefined }
  const slower = budget.scales === 'nothing' ? 1 : calibration[budget.scales]
  const scaled = budget.kind === 'most' ? value * slower : value / slower
  return { ...figure, budget: scaled, holds: budget.kind === 'most' ? figure.value <= scaled : figure.value >= scaled }
}
