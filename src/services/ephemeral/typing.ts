import type { UserId } from '#protocol/identifiers.ts'
import type { RoomContext, SyncContext } from '#services/sync/sections.ts'
import type { Token } from '#streams/token.ts'
import type { Clock } from '#util/clock.ts'

type Typer = { readonly userId: UserId; readonly cancel: () => void }
type TypingRoom = { readonly users: Map<number, Typer>; changedAt: number }

/** The longest time a client may claim to type without saying so again. */
const MAX_TYPING_MS = 120_000
const NOTHING: readonly string[] = []

type Deps = {
  readonly clock: Clock
  /** Tells this process from its earlier lives: what it does not remember is told anew. */
  readonly boot: string
  /** Wakes those who are in the room. */
  readonly changed: (room: number) => void
}

/** Who is typing. Kept in memory alone; it takes no place in the log. https://spec.matrix.org/v1.19/client-server-api/#typing-notifications */
export class Typing {
  readonly #deps: Deps
  readonly #rooms = new Map<number, TypingRoom>()
  #count = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The stamp of now, for tokens. */
  readonly stamp = (): NonNullable<Token['stamp']> => ({ boot: this.#deps.boot, count: this.#count })

  /** Whether other users type in the room than at that stamp. A stamp of another life of the process knows nothing of it. */
  readonly hasChanged = (room: number, since: Token['stamp']): boolean => {
    const typing = this.#rooms.get(room)
    if (typing === undefined) return false
    return since?.boot === this.#deps.boot ? typing.changedAt > since.count : typing.users.size > 0
  }

  /** The user types for `timeoutMs` from now. */
  start(room: number, user: number, userId: UserId, timeoutMs: number): void {
    const typing = this.#rooms.get(room) ?? { users: new Map(), changedAt: 0 }
    this.#rooms.set(room, typing)
    const known = typing.users.get(user)
    known?.cancel()
    const cancel = this.#deps.clock.after(Math.min(timeoutMs, MAX_TYPING_MS), () => this.stop(room, user))
    typing.users.set(user, { userId, cancel })
    if (known === undefined) this.#note(room, typing)
  }

  /** The user types no more. */
  stop(room: number, user: number): void {
    const typing = this.#rooms.get(room)
    const known = typing?.users.get(user)
    if (typing === undefined || known === undefined) return
    known.cancel()
    typing.users.delete(user)
    this.#note(room, typing)
  }

  /** Nobody types any more: the server ends, and its next life knows nothing of who did. */
  clear(): void {
    for (const [room, { users }] of this.#rooms) for (const user of [...users.keys()]) this.stop(room, user)
  }

  /** The event that a sync shows, if the client does not know it. */
  readonly section = (room: RoomContext): readonly string[] => {
    const isFirst = room.roomSince === 0
    const isNews = isFirst ? (this.#rooms.get(room.view.room)?.users.size ?? 0) > 0 : this.#isNews(room)
    if (!isNews || !room.filter.ephemeral({ type: 'm.typing', roomId: room.view.roomId })) return NOTHING
    const users = [...(this.#rooms.get(room.view.room)?.users ?? [])].filter(([user]) => !room.ignored.has(user))
    return [`{"type":"m.typing","content":{"user_ids":${JSON.stringify(users.map(([, { userId }]) => userId))}}}`]
  }

  #isNews({ view, since }: SyncContext & Pick<RoomContext, 'view'>): boolean {
    return this.hasChanged(view.room, since?.stamp)
  }

  #note(room: number, typing: TypingRoom): void {
    this.#count++
    typing.changedAt = this.#count
    this.#deps.changed(room)
  }
}
