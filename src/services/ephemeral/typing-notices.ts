import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { JoinedRooms } from '#services/rooms/joined-rooms.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { LoggedEntry } from '#storage/commit.ts'
import type { Typing } from './typing.ts'

type Deps = { readonly typing: Typing; readonly joinedRooms: JoinedRooms; readonly memberships: MembershipIndex }

/** What a client says of a user's typing. */
export type TypingNotice = {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly isTyping: boolean
  /** For how long; `undefined` where the client does not say. */
  readonly timeoutMs: number | undefined
}

/** How long a user types whose client does not say it. */
const USUAL_MS = 30_000

/** Takes down who types. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid */
export class TypingNotices {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A client says that its user types, or does so no more. */
  async take(requester: Requester, { roomId, userId, isTyping, timeoutMs = USUAL_MS }: TypingNotice): Promise<void> {
    if (requester.userId !== userId) throw forbidden('Clients can say only of their own user that they type')
    const { room } = await this.#deps.joinedRooms.enter(requester, roomId)
    if (requester.isShadowBanned) return
    if (isTyping && timeoutMs > 0) this.#deps.typing.start(room, requester.user, userId, timeoutMs)
    else this.#deps.typing.stop(room, requester.user)
  }

  /** Whoever leaves a room does not go on typing in it. */
  readonly committed = (entries: readonly LoggedEntry[]): void => {
    for (const { kind, room, user } of entries) {
      if (kind !== LOG_KIND.membership || room === undefined || user === undefined) continue
      if (this.#deps.memberships.peekRoom(room)?.get(user) !== 'join') this.#deps.typing.stop(room, user)
    }
  }
}
