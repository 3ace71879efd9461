import type { Batch, BatchRows, Change, ConditionRow, OperationRow } from './change.ts'
import type { Condition, Operation } from './operation.ts'
import type { Bound } from './row.ts'

/** The most changes that go into one transaction. */
export const MAX_BATCH = 200

type Row = { change: number; values: unknown }
/** What a scope's first toucher was: its operation, and where its row is, so that a later one can be folded into it. */
type Taken = { readonly by: Operation | Condition; readonly change: Change; row: Row | undefined }

/**
 * Puts changes together until one must wait: rows of equal scope are folded as their operation says; a change that touches what another one
 * in the batch touches otherwise waits for the next, and so does everything after it that touches the same.
 */
export class Batcher {
  readonly changes: Change[] = []
  readonly #rows = new Map<Operation, Row[]>()
  readonly #conditions = new Map<Condition, Row[]>()
  readonly #taken = new Map<string, Taken>()
  readonly #blocked = new Set<string>()
  readonly #order: ReadonlyMap<Operation, number>

  constructor(operations: readonly Operation[]) {
    this.#order = new Map(operations.map((operation, index) => [operation, index]))
  }

  /** Takes the change into the batch, or says that it must wait. */
  add(change: Change): boolean {
    if (this.changes.length >= MAX_BATCH || !this.#fits(change)) {
      this.#block(change)
      return false
    }
    const index = this.changes.push(change) - 1
    for (const condition of change.conditions) this.#addCondition(change, index, condition)
    for (const row of change.operations) this.#addRow(change, index, row)
    return true
  }

  /** The batch as plain data. */
  toBatch(id: string): Batch {
    const offsets: number[] = []
    let entries = 0
    for (const change of this.changes) {
      offsets.push(entries)
      entries += change.entries.length
    }
    const operations = [...this.#rows.entries()].sort(
      ([a], [b]) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0),
    )
    return {
      id,
      changes: this.changes.length,
      lanes: this.changes.map(({ lane }) => lane ?? null),
      conditions: [...this.#conditions].map(([condition, rows]) => encodeRows(condition, rows, offsets)),
      operations: operations.map(([operation, rows]) => encodeRows(operation, rows, offsets)),
      log: this.changes.flatMap((change, index) =>
        change.entries.map(({ kind, room, user, item }) => ({
          change: index,
          kind,
          room: room ?? null,
          user: user ?? null,
          item: item ?? null,
        })),
      ),
    }
  }

  #fits(change: Change): boolean {
    if (change.lane !== undefined && this.#blocked.has(laneKey(change.lane))) return false
    for (const { condition, row } of change.conditions) {
      const key = condition.scope?.(row)
      if (key === undefined) continue
      if (this.#blocked.has(key)) return false
      const taken = this.#taken.get(key)
      if (taken !== undefined && !isSameLane(taken.change, change)) return false
    }
    return change.operations.every((row) => this.#rowFits(change, row))
  }

  #rowFits(change: Change, { operation, row }: OperationRow): boolean {
    const key = operation.scope?.(row)
    if (key === undefined) return true
    if (this.#blocked.has(key)) return false
    const taken = this.#taken.get(key)
    if (taken === undefined || taken.change === change) return true
    if (taken.by !== operation || operation.fold === 'next batch') return false
    if (operation.fold === 'coexist') return true
    const isUnconditional = taken.change.conditions.length === 0 && change.conditions.length === 0
    return isUnconditional || isSameLane(taken.change, change)
  }

  #block(change: Change): void {
    if (change.lane !== undefined) this.#blocked.add(laneKey(change.lane))
    for (const { condition, row } of change.conditions) this.#blockKey(condition.scope?.(row))
    for (const { operation, row } of change.operations) this.#blockKey(operation.scope?.(row))
  }

  #blockKey(key: string | undefined): void {
    if (key !== undefined) this.#blocked.add(key)
  }

  #addCondition(change: Change, index: number, { condition, row }: ConditionRow): void {
    const key = condition.scope?.(row)
    const taken = key === undefined ? undefined : this.#taken.get(key)
    // A lane's later changes build on its first one, which alone is judged against the database.
    if (taken !== undefined && taken.change !== change) return
    if (key !== undefined && taken === undefined) this.#taken.set(key, { by: condition, change, row: undefined })
    put(this.#conditions, condition, { change: index, values: row })
  }

  #addRow(change: Change, index: number, { operation, row }: OperationRow): void {
    const key = operation.scope?.(row)
    const taken = key === undefined ? undefined : this.#taken.get(key)
    if (taken?.row !== undefined && taken.by === operation && operation.fold !== 'coexist') {
      const kept = operation.fold === 'last wins' ? row : foldWith(operation, taken.row.values, row)
      if (kept === row) Object.assign(taken.row, { change: index, values: row })
      return
    }
    const entry = { change: index, values: row }
    if (key !== undefined && taken === undefined) this.#taken.set(key, { by: operation, change, row: entry })
    put(this.#rows, operation, entry)
  }
}

const laneKey = (lane: number): string => `lane:${lane}`
const isSameLane = (a: Change, b: Change): boolean => a === b || (a.lane !== undefined && a.lane === b.lane)

function foldWith(operation: Operation, earlier: unknown, later: unknown): unknown {
  if (typeof operation.fold !== 'function') return later
  const kept = operation.fold(earlier, later)
  if (kept !== earlier && kept !== later) throw new Error(`fold of ${operation.name} must return one of its rows`)
  return kept
}

function put<K>(map: Map<K, Row[]>, key: K, entry: Row): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [entry])
  else list.push(entry)
}

/** Encodes rows; position columns become the number of the log entry in the batch, counted from 1. */
function encodeRows({ name, row }: Operation | Condition, rows: readonly Row[], offsets: readonly number[]): BatchRows {
  const positions = row.columns.flatMap(({ column }, index) => (column.kind === 'position' ? [index] : []))
  return {
    name,
    changes: rows.map(({ change }) => change),
    rows: rows.map(({ change, values }) => {
      const encoded: Bound[] = row.encode(values)
      for (const at of positions) {
        const entry = encoded[at]
        if (entry !== null) encoded[at] = (offsets[change] as number) + 1 + Number(entry)
      }
      return encoded
    }),
  }
}
