/** A part of a file. */
export type ByteRange = { readonly start: number; readonly length: number }

/**
 * The part that a `Range` header asks for. `whole` where it asks for none, or in a way that may be ignored (several parts, other units);
 * `unsatisfiable` where the file has no such part. https://www.rfc-editor.org/rfc/rfc9110#name-range
 */
export const readRange = (header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' => {
  const [, first, last] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole'
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, length }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return 'whole'
  return start >= size ? 'unsatisfiable' : { start, length: end - start + 1 }
}
