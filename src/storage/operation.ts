import type { RowCodec } from './row.ts'

/**
 * How a kind of row is written. `:column` in SQL stands for a column of the row being written; the table has the alias `t`.
 * Both databases run the same text: SQLite a row at a time, PostgreSQL all rows of a batch at once, so no two rows of one batch may
 * touch the same row of the table (see `scope`).
 */
export type Statement =
  /** A new row, where `where` holds. A row that is there already is an error of the program, unless `ignoreExisting`. */
  | { readonly insert: string; readonly ignoreExisting?: boolean; readonly where?: string }
  /**
   * A new row, or the one with the same key changed, where `when` holds (`excluded` is the new row). With `prunesLog`, the log row that
   * the replaced row's `pos` names goes: its successor stands for both.
   */
  | { readonly upsert: string; readonly key: readonly string[]; readonly when?: string; readonly prunesLog?: boolean }
  | { readonly update: string; readonly set: string; readonly where: string }
  /** Rows go. With `prunesLog`, the log rows that their `pos` names go with them. */
  | { readonly remove: string; readonly where: string; readonly prunesLog?: boolean }

/** What happens when a second row of the same scope comes in one batch. */
export type Fold<Row> =
  /** Both are written: they touch different rows. */
  | 'coexist'
  /** The second one takes the place of the first. */
  | 'last wins'
  /** The second one's change waits for the next batch. */
  | 'next batch'
  /** The row that stands for both. */
  | FoldRows<Row>
type FoldRows<Row> = { bivariant(earlier: Row, later: Row): Row }['bivariant']
type Scope<Row> = { bivariant(row: Row): string }['bivariant']

/** A kind of row that `commit` can write, declared once. Made by `operation`. */
export type Operation<Row = unknown, Out = unknown> = {
  readonly name: string
  readonly row: RowCodec<Row>
  readonly statement: Statement
  /** What the row touches. Rows of equal scope in one batch are folded; other kinds of operation on an equal scope wait for the next. */
  readonly scope: Scope<Row> | undefined
  readonly fold: Fold<Row>
  /** Columns of the written (or removed) rows that the outcome of the change brings back. */
  readonly returning: RowCodec<Out> | undefined
}

type OperationOptions<Row, Out> = {
  readonly row: RowCodec<Row>
  readonly statement: Statement
  readonly scope?: Scope<NoInfer<Row>>
  readonly fold?: Fold<NoInfer<Row>>
  readonly returning?: RowCodec<Out>
}

/** Declares a kind of row that `commit` can write. The name is unique; `stores/all.ts` lists them. */
export const operation = <Row, Out = never>(
  name: string,
  options: OperationOptions<Row, Out>,
): Operation<Row, Out> => ({
  name,
  row: options.row,
  statement: options.statement,
  scope: options.scope,
  fold: options.fold ?? 'coexist',
  returning: options.returning,
})

/**
 * Something that must be true inside the transaction for a change to be written; if not, the change is refused by this name, and no
 * other. `holds` is an SQL expression; `:column` stands for a column of `row`.
 */
export type Condition<Row = unknown> = {
  readonly name: string
  readonly row: RowCodec<Row>
  readonly holds: string
  /** As for operations: changes whose conditions concern the same thing do not share a batch, so that each sees what the last one did. */
  readonly scope: Scope<Row> | undefined
}

/** Declares a condition. The name is unique among conditions; `stores/all.ts` lists them. */
export const condition = <Row>(
  name: string,
  options: { readonly row: RowCodec<Row>; readonly holds: string; readonly scope?: Scope<NoInfer<Row>> },
): Condition<Row> => ({ name, row: options.row, holds: options.holds, scope: options.scope })
