import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  type InteractiveAuthRow,
  interactiveAuthBehind,
  interactiveAuthRemoved,
  interactiveAuthsUntil,
  interactiveAuthUnchanged,
} from '#storage/stores/interactive-auths.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { progressOf } from './records.ts'
import type { Stage } from './stages.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly log: Logger
  readonly stages: readonly Stage[]
  readonly lifetimeMs: number
}

/** The most that are kept: beyond that, the oldest go. */
const MAX_KEPT = 10_000
/** After so many new ones it is looked for old ones. */
const EVERY = 100
const EVERY_MS = 10 * 60_000
const PAGE = 200

/** Throws interactive authentications away that nobody finished, and gives back what they had taken. */
export class Sweeper {
  readonly #deps: Deps
  #added = 0
  #sweptTs = 0
  #sweeping: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** One more was begun. */
  added(): void {
    const { clock, log } = this.#deps
    this.#added++
    if (this.#added < EVERY && clock.now() - this.#sweptTs < EVERY_MS) return
    this.#added = 0
    this.#sweptTs = clock.now()
    // What is not swept now is swept the next time.
    this.#sweeping ??= this.sweep()
      .catch((error) => log.warn('interactive_auths_not_swept', { error: String(error) }))
      .finally(() => {
        this.#sweeping = undefined
      })
  }

  /** Resolves when nothing is being swept. */
  async settled(): Promise<void> {
    await this.#sweeping
  }

  /** Throws away what is too old, or too much. */
  async sweep(): Promise<void> {
    const { db, clock, lifetimeMs } = this.#deps
    const behind = await interactiveAuthBehind(db, MAX_KEPT)
    const until = Math.max(clock.now() - lifetimeMs, behind ?? 0)
    for (;;) {
      const rows = await interactiveAuthsUntil(db, until, PAGE)
      const gone = await Promise.all(rows.map((row) => this.#remove(row)))
      // One that moved meanwhile is looked at the next time.
      if (rows.length < PAGE || !gone.some(Boolean)) return
    }
  }

  async #remove(row: InteractiveAuthRow): Promise<boolean> {
    const { commit, stages } = this.#deps
    const { id, completed } = row
    const change = new Change()
      .require(interactiveAuthUnchanged, { id, completed })
      .write(interactiveAuthRemoved, { id })
    const progress = progressOf(row)
    if (progress.user === undefined) {
      for (const { type, fact } of progress.stages) stages.find((stage) => stage.type === type)?.release?.(change, fact)
    }
    return (await commit(change)).ok
  }
}
