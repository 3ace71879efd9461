import { decodeText, encodeText } from './text.ts'

/** A value as both drivers and the batch format can carry it. */
export type Bound = null | number | string | Uint8Array

/** How one column's values are kept: `decode` takes what either driver returns. (Methods, so that a list can hold columns of any type.) */
export type Column<T> = {
  readonly kind: 'integer' | 'real' | 'text' | 'bytes' | 'boolean' | 'position'
  encode(value: T): Bound
  decode(stored: unknown): T
}

const same = <T extends Bound>(value: T): T => value

/** An integer up to 2^53, branded as the caller likes. */
export const integer = <T extends number = number>(): Column<T> => ({
  kind: 'integer',
  encode: same,
  decode: (stored) => Number(stored) as T,
})
/** A place in the log. In a row being written, the n-th log entry of its own change (counted from 0): see `change.ts`. */
export const position = <T extends number = number>(): Column<T> => ({ ...integer<T>(), kind: 'position' })
/** A number with a fraction. */
export const real = (): Column<number> => ({ kind: 'real', encode: same, decode: (stored) => Number(stored) })
/** Any string a client can send, NUL and lone surrogates too. */
export const text = <T extends string = string>(): Column<T> => ({
  kind: 'text',
  encode: encodeText,
  decode: (stored) => decodeText(String(stored)) as T,
})
/** Text that is JSON and was made by a JSON printer, so that it has no NUL and no lone surrogate to escape. */
export const jsonText = (): Column<string> => ({ kind: 'text', encode: same, decode: String })
/** Bytes, as `Uint8Array`. */
export const bytes = (): Column<Uint8Array> => ({
  kind: 'bytes',
  encode: same,
  decode: (stored) => stored as Uint8Array,
})
/** A yes or no; 0 and 1 in SQLite. */
export const boolean = (): Column<boolean> => ({
  kind: 'boolean',
  encode: (value) => (value ? 1 : 0),
  decode: (stored) => stored === true || stored === 1,
})
/** The same column where it may be absent: `undefined` inside, NULL in SQL. */
export const optional = <T>(column: Column<T>): Column<T | undefined> => ({
  kind: column.kind,
  encode: (value) => (value === undefined ? null : column.encode(value)),
  decode: (stored) => (stored === null || stored === undefined ? undefined : column.decode(stored)),
})

type Shape = Readonly<Record<string, Column<unknown>>>
type OutOf<S> = { readonly [K in keyof S]: S[K] extends Column<infer T> ? T : never }

/** A row's columns: the select list, so that `SELECT *` cannot be written, and the way to values and back. */
export type RowCodec<Out> = {
  /** Columns in order: the SQL name and how it is kept. */
  readonly columns: readonly { readonly key: string; readonly name: string; readonly column: Column<unknown> }[]
  /** `"room", "user"`. Stands in a `sql` template as text. */
  readonly select: string
  /** The select list with a table's alias: `r."room", r."user"`. */
  readonly of: (alias: string) => { readonly select: string }
  encode(row: Out): Bound[]
  /** Reads from `at` on, so that several codecs can share one result row. */
  decode(values: ArrayLike<unknown>, at?: number): Out
  /** Only for its type: `typeof ROW['out']`. */
  readonly out: Out
}

/** Declares a row by its columns: keys in camelCase stand for columns in snake_case. */
export const row = <S extends Shape>(shape: S): RowCodec<OutOf<S>> => {
  type Out = OutOf<S>
  const columns = Object.entries(shape).map(([key, column]) => ({
    key,
    name: snakeCase(key),
    column: column as Column<unknown>,
  }))
  return {
    columns,
    select: columns.map(({ name }) => `"${name}"`).join(', '),
    of: (alias) => ({ select: columns.map(({ name }) => `${alias}."${name}"`).join(', ') }),
    encode: (from) => columns.map(({ key, column }) => column.encode((from as Record<string, unknown>)[key])),
    decode: (values, at = 0) => {
      const out: Record<string, unknown> = {}
      for (let index = 0; index < columns.length; index++) {
        const { key, column } = columns[index] as (typeof columns)[number]
        out[key] = column.decode(values[at + index])
      }
      return out as Out
    },
    out: undefined as unknown as Out,
  }
}

const snakeCase = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
