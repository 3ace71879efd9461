import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { LogRotation, LogTarget } from '#config/log-plan.ts'
import { localStamp } from './python-format.ts'

/** How often it is looked whether somebody else moved the file away. */
const LOOK_MS = 1_000

/** A file of the log, put aside when it is due, and opened anew when another program moved it away. */
export class LogFile {
  readonly maxBytes: number
  readonly #path: string
  readonly #rotation: LogRotation
  #descriptor: number
  #inode: number
  #size: number
  #lookedAt: number
  /** The start of the period that the file is for. */
  #period: number

  constructor(target: LogTarget & { readonly kind: 'file' }, now: number) {
    this.#path = target.path
    this.#rotation = target.rotation
    this.maxBytes = target.rotation.kind === 'size' ? target.rotation.maxBytes : Number.MAX_SAFE_INTEGER
    mkdirSync(dirname(target.path), { recursive: true })
    const found = statSync(target.path, { throwIfNoEntry: false })
    this.#period = this.#periodOf(found === undefined || found.size === 0 ? now : found.mtimeMs)
    const opened = open(target.path)
    this.#descriptor = opened.descriptor
    this.#inode = opened.inode
    this.#size = opened.size
    this.#lookedAt = now
  }

  readonly descriptor = (bytes: number, now: number): number => {
    if (this.#isDue(bytes, now)) this.#putAside(now)
    else if (now - this.#lookedAt > LOOK_MS) {
      this.#lookedAt = now
      if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) this.reopen()
    }
    this.#size += bytes
    return this.#descriptor
  }

  readonly reopen = (): void => {
    const opened = open(this.#path)
    closeSync(this.#descriptor)
    this.#descriptor = opened.descriptor
    this.#inode = opened.inode
    this.#size = opened.size
  }

  readonly close = (): void => closeSync(this.#descriptor)

  #isDue(bytes: number, now: number): boolean {
    if (this.#rotation.kind === 'size') return this.#size > 0 && this.#size + bytes > this.#rotation.maxBytes
    return this.#rotation.kind === 'time' && this.#periodOf(now) > this.#period
  }

  #putAside(now: number): void {
    if (this.#rotation.kind === 'size') shift(this.#path, this.#rotation.kept)
    if (this.#rotation.kind === 'time') {
      const stamp = localStamp(new Date(this.#period)).replace(' ', '_')
      const name = `${this.#path}.${stamp.slice(0, this.#rotation.every === 'day' ? 10 : 13)}`
      rename(this.#path, name)
      forgetOld(this.#path, this.#rotation.kept)
      this.#period = this.#periodOf(now)
    }
    this.reopen()
  }

  /** The midnight or the full hour before, where the server stands. */
  #periodOf(now: number): number {
    const start = new Date(now)
    if (this.#rotation.kind !== 'time') return 0
    return this.#rotation.every === 'day' ? start.setHours(0, 0, 0, 0) : start.setMinutes(0, 0, 0)
  }
}

const open = (path: string) => {
  const descriptor = openSync(path, 'a', 0o640)
  const { ino, size } = fstatSync(descriptor)
  return { descriptor, inode: ino, size }
}

/** `x.2` becomes `x.3`, `x.1` `x.2`, and `x` `x.1`. */
function shift(path: string, kept: number): void {
  for (let n = kept; n >= 1; n--) rename(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`)
}

/** A file that is not there needs no other name. */
function rename(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to)
}

/** `kept` 0 keeps all. */
function forgetOld(path: string, kept: number): void {
  if (kept === 0) return
  const prefix = `${basename(path)}.`
  const old = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d{4}-\d\d-\d\d(?:_\d\d)?$/.test(name.slice(prefix.length)))
    .sort()
  for (const name of old.slice(0, Math.max(0, old.length - kept))) rmSync(join(dirname(path), name), { force: true })
}
