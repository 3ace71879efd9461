import type { Requester } from '#api/requester.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'
import type { JsonObject } from '#util/json.ts'
import { objection } from './hook.ts'

/** An event that a local user wants to send. */
export type EventDraft = {
  readonly roomId: RoomId
  readonly type: string
  readonly stateKey: string | undefined
  readonly content: JsonObject
}

const quick = { timeoutMs: 5_000, onTimeout: 'allow' } as const

/** The places where modules are asked. Names follow Synapse's callbacks; besides yes and no they may say what stands in `verdicts.ts`, where it is named here. */
export const hooks = {
  /** May this event, from a local user, be sent? Or `shadow`, or `softFail`. Memberships pass only if they come as state. */
  checkEventForSpam: objection<[requester: Requester, event: EventDraft]>(quick),
  /** May the user join the room? */
  userMayJoinRoom: objection<[requester: Requester, roomId: RoomId, isInvited: boolean]>(quick),
  /** May the user invite that one, with a new room too? Or `shadow`. */
  userMayInvite: objection<[requester: Requester, invitee: UserId, roomId: RoomId]>(quick),
  /** May the user make a room? */
  userMayCreateRoom:
    objection<
      [requester: Requester, request: { readonly name: string | undefined; readonly invite: readonly UserId[] }]
    >(quick),
  /** May an account of this name be registered? `shadow` makes one that is shadow-banned. Not asked where an administrator makes it. */
  checkRegistrationForSpam:
    objection<[userId: UserId, caller: { readonly ip: string; readonly userAgent: string | undefined }]>(quick),
  /** May the user log in with that device? */
  checkLoginForSpam:
    objection<
      [userId: UserId, device: { readonly deviceId: string | undefined; readonly displayName: string | undefined }]
    >(quick),
  /** May the user set that field of their profile (to `undefined`: take it away)? Or `shadow`. */
  userMayChangeProfile: objection<[requester: Requester, field: string, value: unknown]>(quick),
  /** May the user upload that file? */
  checkMediaFileForSpam:
    objection<[requester: Requester, file: { readonly contentType: string; readonly size: number }]>(quick),
}

/** The names of the hooks. */
export type HookName = keyof typeof hooks
type ArgsOf<H> = H extends { readonly types?: (...args: infer Args) => unknown } ? Args : never
type AnswerOf<H> = H extends { readonly types?: (...args: never[]) => infer Answer } ? Answer : never
/** What a hook is called with. */
export type HookArgs<Name extends HookName> = ArgsOf<(typeof hooks)[Name]>
/** What a hook gives back. */
export type HookAnswer<Name extends HookName> = AnswerOf<(typeof hooks)[Name]>
/** What a module may do at a hook. */
export type HookCallback<Name extends HookName> = (
  ...args: HookArgs<Name>
) => HookAnswer<Name> | undefined | Promise<HookAnswer<Name> | undefined>
