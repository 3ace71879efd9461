import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandFailure, type Terminal } from './terminal.ts'

/** Writes to the file that `-o` names, with its folder, or to the standard output. A file that has something in it is never overwritten. */
export function writeOutput(path: string | undefined, text: string, mode: number, terminal: Terminal): void {
  if (path === undefined || path === '-') {
    terminal.out(text.trimEnd())
    return
  }
  const existing = statSync(path, { throwIfNoEntry: false })
  if (existing?.isFile() === true && existing.size > 0)
    throw new CommandFailure(`${path} exists already, and is not overwritten.`)
  writeNew(path, text, existing === undefined ? mode : undefined)
}

/** Writes a file that is not there yet, or is empty. */
export function writeNew(path: string, text: string, mode: number | undefined): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, mode === undefined ? {} : { mode: 0o600 })
  if (mode !== undefined) chmodSync(path, mode)
}
