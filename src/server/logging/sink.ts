import { write, writeSync } from 'node:fs'
import type { LogTarget } from '#config/log-plan.ts'
import { LogFile } from './log-file.ts'

/** A place that takes bytes, and is a place for them at the moment of writing. */
type Outlet = {
  /** The most bytes that may go there in one piece. */
  readonly maxBytes: number
  /** Where the next `bytes` go. Throws where there is no such place at the moment. */
  readonly descriptor: (bytes: number, now: number) => number
  /** Goes to the place of that name anew. No write may be under way, as with `descriptor` and `close`. */
  readonly reopen: () => void
  readonly close: () => void
}

/** Lines that are not urgent gather for so long. */
const GATHER_MS = 20
/** How long it waits where the place takes nothing at the moment. */
const RETRY_MS = 200
/** More than this is not held back: what comes then is lost, and counted. */
const MAX_HELD = 16 * 1024 * 1024

type Deps = { readonly outlet: Outlet; readonly now: () => number }

/** Gathers lines and writes them together, one write at a time, never on the main thread. It does not wait for the disk. */
export class Sink implements AsyncDisposable {
  readonly #deps: Deps
  #held = ''
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #writing: Promise<void> | undefined
  #lost = 0
  #isGone = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Takes lines. `isUrgent`: they are written in this turn. */
  add(text: string, isUrgent: boolean): void {
    if (this.#isGone) return
    if (this.#held.length > MAX_HELD) {
      this.#lost++
      return
    }
    this.#held += text
    if (isUrgent && !this.#isDue) {
      this.#isDue = true
      setImmediate(() => this.#flush())
    } else if (!this.#isDue && this.#timer === undefined) this.#later(GATHER_MS)
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => this.#flush(), ms)
    this.#timer.unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDue = false
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  async #writeAll(): Promise<void> {
    while (this.#held !== '' && !this.#isGone) {
      const bytes = Buffer.from(this.#take())
      const left = await this.#write(bytes)
      if (left === undefined) continue
      this.#held = left.toString() + this.#held
      this.#later(RETRY_MS)
      return
    }
  }

  /** Writes all it can; what is left is to be tried later. */
  async #write(bytes: Buffer): Promise<Buffer | undefined> {
    let at = 0
    try {
      const descriptor = this.#deps.outlet.descriptor(bytes.length, this.#deps.now())
      while (at < bytes.length) at += await writeSome(descriptor, bytes, at)
      return undefined
    } catch (error) {
      return this.#isLater(error) ? bytes.subarray(at) : undefined
    }
  }

  /** Who reads is gone, and nobody comes in his place: there is no use in going on. A full disk or pipe may get room again. */
  #isLater(error: unknown): boolean {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EPIPE' || code === 'EBADF' || code === 'EIO') this.#isGone = true
    return !this.#isGone
  }

  /** Whole lines, as many as may go there in one piece; one, if it is too long by itself. */
  #take(): string {
    const { maxBytes } = this.#deps.outlet
    let text = this.#held
    if (text.length > maxBytes) {
      const end = text.lastIndexOf('\n', maxBytes - 1)
      text = text.slice(0, (end === -1 ? text.indexOf('\n') : end) + 1)
    }
    this.#held = this.#held.slice(text.length)
    if (this.#lost === 0) return text
    const lost = this.#lost
    this.#lost = 0
    return `${text}(${lost} lines of the log were lost: they came faster than they could be written.)\n`
  }

  /** Goes to the place of that name anew, after the write that is under way. */
  async reopen(): Promise<void> {
    await this.#written()
    this.#deps.outlet.reopen()
  }

  /** Comes back where no write is under way, and the caller may do what none may see. */
  async #written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  /** Writes what is held while the caller waits: for the end of the process. */
  flushNow(): void {
    try {
      while (this.#held !== '' && !this.#isGone) {
        const bytes = Buffer.from(this.#take())
        writeSync(this.#deps.outlet.descriptor(bytes.length, this.#deps.now()), bytes)
      }
    } catch {
      // The process ends, and there is nobody left to tell.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush()
    await this.#written()
    this.#isGone = true
    clearTimeout(this.#timer)
    this.#deps.outlet.close()
  }
}

const writeSome = (descriptor: number, bytes: Buffer, at: number): Promise<number> =>
  new Promise((resolve, reject) =>
    write(descriptor, bytes, at, bytes.length - at, null, (error, written) =>
      error === null ? resolve(written) : reject(error),
    ),
  )

/** The place that a target of the configuration names. Throws where a file cannot be opened. */
export const outletFor = (target: LogTarget, now: number): Outlet => {
  if (target.kind === 'file') return new LogFile(target, now)
  const descriptor = target.kind === 'stdout' ? 1 : 2
  return { maxBytes: Number.MAX_SAFE_INTEGER, descriptor: () => descriptor, close: () => {}, reopen: () => {} }
}
