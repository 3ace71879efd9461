import type { Batch, BatchResult } from './change.ts'
import type { RowCodec } from './row.ts'
import type { Query } from './sql.ts'

/** Reads. On SQLite the promises are resolved already: a read costs microseconds on the calling thread, so every read must be bounded. */
export type Reader = {
  /** All rows of a query whose select list is `codec`. */
  readonly all: <Out>(codec: RowCodec<Out>, query: Query) => Promise<Out[]>
  /** The first row, or `undefined`. */
  readonly get: <Out>(codec: RowCodec<Out>, query: Query) => Promise<Out | undefined>
}

/** A database that is open and up to date. Nothing is written but by `write`, and that is called only by the committer. */
export type Database = Reader &
  AsyncDisposable & {
    /** `sqlite` or `postgres` and its version, for humans and metrics. Nothing may branch on it. */
    readonly description: string
    /** Writes a batch in one transaction. Throws `BatchError` when a statement erred and nothing was written. */
    readonly write: (batch: Batch) => Promise<BatchResult>
    /** Where the log stood, and which incarnation of the deployment this is, when the database was opened. */
    readonly start: { readonly position: number; readonly incarnation: number }
    /** Whether to wait for it; `undefined` where it cannot be out of reach while the server runs. */
    readonly outage: Outage | undefined
  }

/** Says when nobody should wait for the database any longer. It is looked for meanwhile, and what was handed in for writing is not forgotten. */
export type Outage = {
  /** Why nobody should wait; `undefined` while the database answers, or may do so in a moment. */
  readonly hopeless: string | undefined
  /** Calls `listener` whenever waiting becomes hopeless. */
  readonly onHopeless: (listener: () => void) => void
  /** Ends all waiting, for a server that stops. */
  readonly close: () => void
}

/** A statement of a batch erred; nothing of the batch was written. `cause` is the driver's error. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
}

/** The database cannot be used as it is. The message is for an administrator: what is wrong and what to do. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused'
}

/** The database does not answer. Requests are answered with a clear error meanwhile; it may come back. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/** What the mark of a database begins with that was made by a port, until a server starts on it. */
export const PORT_MARK = 'port:'
