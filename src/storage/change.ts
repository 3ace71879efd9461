import type { Condition, Operation } from './operation.ts'
import type { Bound, RowCodec } from './row.ts'

/** What a row of the log speaks of. The numbers are kept in the database: never reuse one. */
export const LOG_KIND = {
  event: 1,
  receipt: 2,
  accountData: 3,
  roomAccountData: 4,
  toDevice: 5,
  deviceList: 6,
  membership: 7,
  oneTimeKeys: 8,
  pushRules: 9,
  profile: 10,
  purged: 11,
  device: 12,
  /** An event of the past: it has a position, but arrives nowhere. */
  backfilled: 13,
  /** A user signed the keys of the user whose number is the item. */
  keySignature: 14,
} as const
/** The number of a kind of log row. */
export type LogKind = (typeof LOG_KIND)[keyof typeof LOG_KIND]

/** One entry of the log: what changed, in which room or for which user, and the number of the row it speaks of. */
export type LogEntry = {
  readonly kind: LogKind
  readonly room?: number
  readonly user?: number
  readonly item?: number
}

/** A row to be written by an operation. */
export type OperationRow = { readonly operation: Operation; readonly row: unknown }
/** A row to be judged by a condition. */
export type ConditionRow = { readonly condition: Condition; readonly row: unknown }

/**
 * What one request wants written: all of it or nothing. Rows whose columns are positions give the index of a log entry of this change
 * (`change.log(...)` returns it); the commit puts the real position there.
 */
export class Change {
  readonly operations: OperationRow[] = []
  readonly conditions: ConditionRow[] = []
  readonly entries: LogEntry[] = []
  /** What happens in memory once the change is durable, before anybody hears of it. Given the position of its first log entry. */
  readonly effects: ((firstPosition: number) => void)[] = []
  /** Changes of one lane build on each other: if one of them is refused, all of them in the batch are, by the condition `lane`. */
  readonly lane: number | undefined

  constructor(options: { readonly lane?: number } = {}) {
    this.lane = options.lane
  }

  /** Adds an entry to the log and returns its index, to stand in position columns. */
  log(entry: LogEntry): number {
    return this.entries.push(entry) - 1
  }

  /** Runs `effect` once the change is durable: caches are brought up to date there. It must not fail. */
  onCommitted(effect: (firstPosition: number) => void): this {
    this.effects.push(effect)
    return this
  }

  write<Row>(operation: Operation<Row, unknown>, row: Row): this {
    this.operations.push({ operation: operation, row })
    return this
  }

  require<Row>(condition: Condition<Row>, row: Row): this {
    this.conditions.push({ condition: condition, row })
    return this
  }
}

/** How a change ended. */
export type Outcome = Committed | RefusedChange
/** The change is durable. Its log entries stand at `firstPosition`, `firstPosition` + 1, ... */
export type Committed = {
  readonly ok: true
  readonly firstPosition: number
  /** What the operation gave back, in the order of its rows in this change. */
  readonly returned: <Out>(operation: Operation<unknown, Out>) => readonly Out[]
}
/** A condition did not hold: nothing of the change was written. `lane`: a change before it in the lane was refused. */
export type RefusedChange = { readonly ok: false; readonly refusedBy: string }

/** Rows of one kind in a batch: their changes and their columns, already as the drivers take them. */
export type BatchRows = { readonly name: string; readonly changes: number[]; readonly rows: Bound[][] }

/** Many changes, written in one transaction. Plain data, so that it can go to another thread. */
export type Batch = {
  readonly id: string
  readonly changes: number
  /** Lane by change, or null. */
  readonly lanes: (number | null)[]
  readonly conditions: BatchRows[]
  readonly operations: BatchRows[]
  readonly log: { change: number; kind: number; room: number | null; user: number | null; item: number | null }[]
}

/** What became of a batch. The n-th log entry (from 0) stands at `base + 1 + n`. */
export type BatchResult = {
  readonly base: number
  readonly refused: readonly { readonly change: number; readonly by: string }[]
  readonly returned: readonly {
    readonly name: string
    readonly change: number
    readonly values: readonly unknown[]
  }[]
}

/** Reads what an operation returned. */
export const decodeReturned = <Out>(codec: RowCodec<Out>, values: readonly unknown[]): Out => codec.decode(values)
