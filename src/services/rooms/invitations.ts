import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { mannerOf } from '#modules/verdicts.ts'
import { forbidden } from '#protocol/errors.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'

type Deps = { readonly hooks: Hooks; readonly onlyAdminsInvite: boolean }

/** Says who may invite whom, before the room's own rules do. */
export class Invitations {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
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
