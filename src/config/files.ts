import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What reading a file gives: its text, or why there is none. */
export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** The files that a configuration is read from. */
export type FileAccess = {
  readonly read: (path: string) => FileText
  /** The `.yaml` files directly in a folder, in the order of their names; `undefined` where `path` is no folder. */
  readonly list: (path: string) => readonly string[] | undefined
  /** Makes a file that only its owner may read. Throws where it exists already. */
  readonly create: (path: string, text: string) => void
}

/** The files of this machine. */
export const systemFiles: FileAccess = {
  read: (path) => {
    try {
      return { kind: 'text', text: readFileSync(path, 'utf8') }
    } catch (error) {
      const code = codeOf(error)
      return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'unreadable', reason: code }
    }
  },
  list: (path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined
    const entries = readdirSync(path, { withFileTypes: true })
    const names = entries.filter((entry) => entry.name.endsWith('.yaml') && !entry.isDirectory())
    return names.map((entry) => join(path, entry.name)).sort()
  },
  create: (path, text) => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  },
}

/** No files at all, for configurations that are given as text. */
export const noFiles: FileAccess = {
  read: () => ({ kind: 'missing' }),
  list: () => undefined,
  create: (path) => {
    throw new Error(`There is no place to make ${path}`)
  },
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
