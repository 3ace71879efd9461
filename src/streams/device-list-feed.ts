import { LOG_KIND } from '#storage/change.ts'
import type { LoggedEntry } from '#storage/commit.ts'

type Changed = { readonly user: number; readonly pos: number }

/** How many changes are remembered at least. */
const REMEMBERED = 10_000

/**
 * What this process knows of the log that decides whose devices a user is told of: whose devices changed last, and in which rooms somebody
 * came or went. So a sync in which nothing of that happened asks the database nothing.
 */
export class DeviceListFeed {
  readonly #startedAt: number
  /** In the order of the log. Whoever changed before `#from` may not be here. */
  readonly #changes: Changed[] = []
  #from: number
  #last = 0
  readonly #moves = new Map<number, number>()

  constructor(startedAt: number) {
    this.#startedAt = startedAt
    this.#from = startedAt
  }

  /** Takes note of a batch. The feed calls it before it counts as applied. */
  committed(entries: readonly LoggedEntry[]): void {
    for (const { kind, room, user, pos } of entries) {
      if (kind === LOG_KIND.deviceList || kind === LOG_KIND.membership) this.#last = pos
      if (kind === LOG_KIND.deviceList && user !== undefined) this.#changes.push({ user, pos })
      else if (kind === LOG_KIND.membership && room !== undefined) this.#moves.set(room, pos)
    }
    if (this.#changes.length <= 2 * REMEMBERED) return
    const [last] = this.#changes.splice(0, this.#changes.length - REMEMBERED).slice(-1)
    this.#from = last?.pos ?? this.#from
  }

  /** Whether nobody's devices changed after the position, and nobody came or went anywhere. */
  isQuiet(since: number): boolean {
    return since >= this.#startedAt && this.#last <= since
  }

  /** Whose devices changed in the range; `undefined` if only the database knows. */
  changes({ since, upTo }: { readonly since: number; readonly upTo: number }): Set<number> | undefined {
    if (since < this.#from) return undefined
    const users = new Set<number>()
    for (let at = this.#changes.length - 1; at >= 0; at--) {
      const { user, pos } = this.#changes[at] as Changed
      if (pos <= since) break
      if (pos <= upTo) users.add(user)
    }
    return users
  }

  /** Whether some membership in the room changed after a position; `undefined` if only the database knows. */
  hasMoves(room: number, since: number): boolean | undefined {
    const last = this.#moves.get(room)
    if (last !== undefined && last > since) return true
    return since >= this.#startedAt ? false : undefined
  }
}
