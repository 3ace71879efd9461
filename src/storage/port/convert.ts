import type { Table, TableColumn } from './catalogue.ts'
import { keyOf, type Oddity, printKey, type ReadRow, type Value } from './side.ts'

/** A value as SQLite gives it: texts as their bytes. */
export type Stored = null | bigint | number | string | Uint8Array

/** What became of a value: itself, or what stands for it. */
type Converted = { readonly value: Value; readonly kind?: Oddity['kind'] | 'mended'; readonly reason?: string }

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** NUL and lone surrogates, as the text codec writes them (`storage/text.ts`). What it wrote before is left alone. */
const escaped = (code: number): string => `\uFFFE${code.toString(16).padStart(4, '0')}`

/**
 * A text by its bytes. NUL and the three bytes of a surrogate become the codec's escapes, so that a server reads the same text as before;
 * any other bytes that are no UTF-8 are read as U+FFFD, as a server reads them.
 */
export const textOf = (
  bytes: Uint8Array,
): { readonly text: string; readonly isMended: boolean; readonly isLossy: boolean } => {
  try {
    const text = strict.decode(bytes)
    return text.includes('\0')
      ? { text: text.replaceAll('\0', escaped(0)), isMended: true, isLossy: false }
      : { text, isMended: false, isLossy: false }
  } catch {
    return mended(bytes)
  }
}

function mended(bytes: Uint8Array): { text: string; isMended: boolean; isLossy: boolean } {
  let [text, isLossy, from] = ['', false, 0]
  const take = (to: number) => {
    const piece = bytes.subarray(from, to)
    try {
      text += strict.decode(piece)
    } catch {
      text += lenient.decode(piece)
      isLossy = true
    }
  }
  for (let at = 0; at < bytes.length; at++) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3)
    const isSurrogate = first === 0xed && second >= 0xa0 && second <= 0xbf && third >= 0x80 && third <= 0xbf
    if (first !== 0 && !isSurrogate) continue
    take(at)
    text += escaped(isSurrogate ? 0xd000 | ((second & 0x3f) << 6) | (third & 0x3f) : 0)
    from = at + (isSurrogate ? 3 : 1)
    at = from - 1
  }
  take(bytes.length)
  return { text, isMended: true, isLossy }
}

const BOUNDS: Readonly<Record<'integer' | 'small' | 'boolean', bigint>> = {
  integer: 2n ** 63n,
  small: 2n ** 15n,
  boolean: 2n ** 63n,
}

function convertInteger(stored: Stored, kind: 'integer' | 'small' | 'boolean'): Converted {
  const whole = wholeNumber(stored)
  if (whole === undefined) return { value: null, kind: 'impossible', reason: 'it is no whole number' }
  const bound = BOUNDS[kind]
  if (whole >= bound || whole < -bound) return { value: null, kind: 'impossible', reason: `${whole} is too large` }
  if (kind !== 'boolean' || whole === 0n || whole === 1n) return { value: String(whole) }
  return { value: '1', kind: 'changed', reason: `${whole} stood for yes` }
}

function wholeNumber(stored: Stored): bigint | undefined {
  if (typeof stored === 'bigint') return stored
  if (typeof stored === 'number') return Number.isInteger(stored) ? BigInt(stored) : undefined
  if (typeof stored === 'string' && /^-?[0-9]{1,19}$/.test(stored)) return BigInt(stored)
  return undefined
}

function convertText(stored: Stored): Converted {
  if (!(stored instanceof Uint8Array)) return { value: String(stored) }
  const { text, isMended, isLossy } = textOf(stored)
  if (isLossy) return { value: text, kind: 'changed', reason: 'it is no UTF-8; what is not became U+FFFD' }
  return isMended ? { value: text, kind: 'mended' } : { value: text }
}

function convert(stored: Stored, { kind }: TableColumn): Converted {
  if (stored === null) return { value: null }
  if (kind === 'text') return convertText(stored)
  if (kind !== 'bytes') return convertInteger(stored, kind)
  const bytes = stored instanceof Uint8Array ? stored : Buffer.from(String(stored))
  return { value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') }
}

/** A row of SQLite as PostgreSQL can hold it, with what could not be kept as it was. */
export const convertRow = (table: Table, stored: readonly Stored[]): ReadRow => {
  const converted = table.columns.map((column, place) => convert(stored[place] ?? null, column))
  const values = converted.map(({ value }) => value)
  const odd = converted.flatMap(({ kind, reason }, place) => (kind === undefined ? [] : [{ kind, reason, place }]))
  if (odd.length === 0) return { values, oddities: [], isMoved: false }
  const key = printKey(table, keyOf(table, values))
  const oddities = odd.flatMap(({ kind, reason = '', place }) =>
    kind === 'mended' ? [] : [{ table: table.name, key, column: table.columns[place]?.name ?? '', kind, reason }],
  )
  return { values, oddities, isMoved: odd.some(({ place }) => table.key.includes(place)) }
}
