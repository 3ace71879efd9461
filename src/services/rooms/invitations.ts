import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { mannerOf } from '#modules/verdicts.ts'
import { forbidden } from '#protocol/errors.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'
import type { Limiter } from '#services/limiter.ts'

type Deps = {
  readonly hooks: Hooks
  readonly onlyAdminsInvite: boolean
  /** Count invitations by who sends them, by room, and by who is invited. */
  readonly issuerLimiter: Limiter
  readonly roomLimiter: Limiter
  readonly inviteeLimiter: Limiter
}

/** Says who may invite whom, before the room's own rules do. */
export class Invitations {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * Invites within the limits; throws `M_LIMIT_EXCEEDED` where there were too many. One that is refused counts for who sends it alone: others
   * still invite into the room, and the user.
   */
  async counted<T>(
    requester: Requester,
    { target, roomId }: { readonly target: UserId; readonly roomId: RoomId },
    invite: () => Promise<T>,
  ): Promise<T> {
    const { issuerLimiter, roomLimiter, inviteeLimiter } = this.#deps
    if (requester.isExemptFromRateLimits) return invite()
    await issuerLimiter.take(String(requester.user))
    return roomLimiter.during(roomId, () => inviteeLimiter.during(target, invite))
  }

  /** Counts the invitations that come with a new room, for who sends them. Any number may come at once, but then it takes longer until the next. */
  async takeWithRoom(requester: Requester, count: number): Promise<void> {
    const { issuerLimiter } = this.#deps
    if (requester.isExemptFromRateLimits || count === 0) return
    await issuerLimiter.take(String(requester.user), Math.max(1, Math.min(count, issuerLimiter.burst)))
  }

  /** Throws where the user may not invite; resolves to `false` where it is only to look as if they had. */
  async judge(requester: Requester, target: UserId, roomId: RoomId): Promise<boolean> {
    const { hooks, onlyAdminsInvite } = this.#deps
    if (onlyAdminsInvite && !requester.isAdmin) throw forbidden('Only administrators invite on this server')
    const verdict = await hooks.ask('userMayInvite', requester, target, roomId)
    if (!verdict.ok && mannerOf(verdict) !== 'shadow') throw forbidden(verdict.reason)
    return verdict.ok && !requester.isShadowBanned
  }
}
