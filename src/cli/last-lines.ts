import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MOST_BYTES = 16 * 1024

/** The last lines of a file, without reading the rest; none where there is no such file. */
export function lastLines(path: string, count: number): readonly string[] {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return []
  }
  try {
    const { size } = fstatSync(file)
    const from = Math.max(0, size - MOST_BYTES)
    const bytes = Buffer.alloc(size - from)
    const length = readSync(file, bytes, 0, bytes.length, from)
    const lines = bytes
      .toString('utf8', 0, length)
      .split('\n')
      .filter((line) => line !== '')
    return (from > 0 ? lines.slice(1) : lines).slice(-count)
  } finally {
    closeSync(file)
  }
}
