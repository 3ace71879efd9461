import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Batch, BatchResult, BatchRows } from '#storage/change.ts'
import { CEILING_STEP } from '#storage/counters/declared.ts'
import type { Condition, Operation } from '#storage/operation.ts'
import type { Bound, RowCodec } from '#storage/row.ts'
import { conditionExpression, operationStatements } from '#storage/statement-text.ts'

/** A prepared statement and the columns of the row it takes, in order. */
type Prepared = { readonly statement: StatementSync; readonly columns: readonly number[] }
type Written = { readonly steps: readonly Prepared[]; readonly positions: readonly number[]; readonly returns: boolean }

/** Writes batches on one connection, a row at a time with prepared statements. */
export class BatchWriter {
  readonly #db: DatabaseSync
  readonly #operations: ReadonlyMap<string, Operation>
  readonly #conditions: ReadonlyMap<string, Condition>
  readonly #written = new Map<string, Written>()
  readonly #judged = new Map<string, Prepared>()
  readonly #log: StatementSync
  readonly #setPosition: StatementSync
  #last: number
  #ceiling: number

  constructor(
    db: DatabaseSync,
    declared: { readonly operations: readonly Operation[]; readonly conditions: readonly Condition[] },
  ) {
    this.#db = db
    this.#operations = new Map(declared.operations.map((one) => [one.name, one]))
    this.#conditions = new Map(declared.conditions.map((one) => [one.name, one]))
    this.#log = db.prepare('INSERT INTO log (pos, kind, room, "user", item) VALUES (?, ?, ?, ?, ?)')
    this.#setPosition = db.prepare('UPDATE deployment SET last_position = ?, ceiling = ?')
    const stood = db.prepare('SELECT last_position, ceiling FROM deployment').get()
    this.#last = Number(stood?.['last_position'])
    this.#ceiling = Number(stood?.['ceiling'])
  }

  /** Writes the batch in one transaction. On an error nothing is written and the error is thrown. */
  write(batch: Batch): BatchResult {
    const base = this.#last
    const last = base + batch.log.length
    const ceiling = last > this.#ceiling ? last + CEILING_STEP : this.#ceiling
    // What lies above the ceiling may be given again after a power loss, so raising it must be durable whatever the setting.
    const raises = ceiling !== this.#ceiling
    if (raises) this.#db.exec('PRAGMA synchronous = FULL')
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const refused = this.#judge(batch)
      const returned = batch.operations.flatMap((rows) => this.#writeRows(rows, refused, base))
      batch.log.forEach(({ change, kind, room, user, item }, index) => {
        if (!refused.has(change)) this.#log.run(base + 1 + index, kind, room, user, item)
      })
      this.#setPosition.run(last, ceiling)
      this.#db.exec('COMMIT')
      this.#last = last
      this.#ceiling = ceiling
      return { base, refused: [...refused].map(([change, by]) => ({ change, by })), returned }
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      if (raises) this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}`)
    }
  }

  #synchronous: 'FULL' | 'NORMAL' | 'OFF' = 'FULL'
  /** How commits are made durable from now on. */
  setSynchronous(mode: 'FULL' | 'NORMAL' | 'OFF'): void {
    this.#synchronous = mode
    this.#db.exec(`PRAGMA synchronous = ${mode}`)
  }

  #judge(batch: Batch): Map<number, string> {
    const refused = new Map<number, string>()
    for (const rows of batch.conditions) {
      const { statement, columns } = this.#condition(rows.name)
      rows.rows.forEach((row, index) => {
        const change = rows.changes[index] as number
        const answer = statement.get(...pick(row, columns)) as unknown as [number]
        if (answer[0] !== 1 && !refused.has(change)) refused.set(change, rows.name)
      })
    }
    if (refused.size === 0) return refused
    const lanes = new Set([...refused.keys()].map((change) => batch.lanes[change]).filter((lane) => lane !== null))
    batch.lanes.forEach((lane, change) => {
      if (lane !== null && lanes.has(lane) && !refused.has(change)) refused.set(change, 'lane')
    })
    return refused
  }

  #writeRows(rows: BatchRows, refused: ReadonlyMap<number, string>, base: number): BatchResult['returned'][number][] {
    const { steps, positions, returns } = this.#operation(rows.name)
    const returned: BatchResult['returned'][number][] = []
    rows.rows.forEach((row, index) => {
      const change = rows.changes[index] as number
      if (refused.has(change)) return
      for (const at of positions) if (row[at] !== null) row[at] = base + (row[at] as number)
      steps.forEach(({ statement, columns }, step) => {
        const values = pick(row, columns)
        if (!returns || step < steps.length - 1) statement.run(...values)
        else {
          for (const out of statement.all(...values)) {
            returned.push({ name: rows.name, change, values: out as unknown as unknown[] })
          }
        }
      })
    })
    // A batch that errs is written again in parts: the rows must be as they came.
    for (const at of positions) {
      rows.rows.forEach((row, index) => {
        if (row[at] !== null && !refused.has(rows.changes[index] as number)) row[at] = (row[at] as number) - base
      })
    }
    return returned
  }

  #operation(name: string): Written {
    const known = this.#written.get(name)
    if (known !== undefined) return known
    const operation = this.#operations.get(name)
    if (operation === undefined) throw new Error(`no operation ${name}`)
    const from = { placeholder: (column: string) => `:${column}`, source: '' }
    const written: Written = {
      steps: operationStatements(operation, from).map((text) => this.#prepare(text, operation.row)),
      positions: operation.row.columns.flatMap(({ column }, index) => (column.kind === 'position' ? [index] : [])),
      returns: operation.returning !== undefined,
    }
    this.#written.set(name, written)
    return written
  }

  #condition(name: string): Prepared {
    const known = this.#judged.get(name)
    if (known !== undefined) return known
    const condition = this.#conditions.get(name)
    if (condition === undefined) throw new Error(`no condition ${name}`)
    const prepared = this.#prepare(
      `SELECT (${conditionExpression(condition, (column) => `:${column}`)})`,
      condition.row,
    )
    this.#judged.set(name, prepared)
    return prepared
  }

  /** Turns `:column` into numbered parameters, so that each value is bound once and in order. */
  #prepare(text: string, codec: RowCodec<unknown>): Prepared {
    const columns: number[] = []
    const numbered = text.replaceAll(/(?<!:):([a-z_][a-z0-9_]*)/g, (_, name: string) => {
      const column = codec.columns.findIndex((one) => one.name === name)
      if (column === -1) throw new Error(`no column ${name} for: ${text}`)
      const known = columns.indexOf(column)
      return `?${known === -1 ? columns.push(column) : known + 1}`
    })
    const statement = this.#db.prepare(numbered)
    statement.setReturnArrays(true)
    return { statement, columns }
  }
}

const pick = (row: readonly Bound[], columns: readonly number[]): Bound[] => columns.map((at) => row[at] as Bound)
