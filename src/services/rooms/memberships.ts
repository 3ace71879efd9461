import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { badState, forbidden, guestAccessForbidden, notFound, serverNotTrusted, unknown } from '#protocol/errors.ts'
import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { Users } from '#services/accounts/users.ts'
import { isSameContent } from '#services/events/same-content.ts'
import type { EventSender } from '#services/events/send-event.ts'
import type { Limiter } from '#services/limiter.ts'
import type { MemberProfiles } from '#services/profiles/member-profiles.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { type MembershipName, roomForgotten } from '#storage/stores/memberships.ts'
import { getString, type Json, type JsonObject } from '#util/json.ts'
import type { Invitations } from './invitations.ts'
import { joinAuthoriser } from './join-authoriser.ts'
import { letsGuestsIn } from './remove-guests.ts'

type Deps = {
  readonly rooms: RoomRegistry
  readonly memberships: MembershipIndex
  readonly sender: EventSender
  readonly users: Users
  readonly profiles: MemberProfiles
  readonly hooks: Hooks
  readonly invitations: Invitations
  readonly commit: Commit
  /** Count joins by user, and by room. */
  readonly joinLimiter: Limiter
  readonly roomJoinLimiter: Limiter
  readonly settings: {
    readonly forgetOnLeave: boolean
    /** Users may be called otherwise in a room than elsewhere. */
    readonly perRoomProfiles: boolean
  }
}

/** What somebody does to a membership. */
export type MembershipAct = {
  readonly roomId: RoomId
  readonly target: UserId
  readonly reason: string | undefined
}

/** Joins, invitations, leaving, kicks and bans of local users. https://spec.matrix.org/v1.19/client-server-api/#room-membership */
export class Memberships {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Joins the room; a user who is there already stays as they are. */
  async join(
    requester: Requester,
    roomId: RoomId,
    wish: { readonly reason: string | undefined; readonly content?: JsonObject },
  ): Promise<EventId> {
    const { rooms, joinLimiter, roomJoinLimiter } = this.#deps
    const room = await rooms.byId(roomId)
    if (room === undefined) throw notFound('This server does not know the room, and does not speak with others yet')
    const current = await this.#membership(room, requester.userId)
    if (current === 'join' || requester.isExemptFromRateLimits)
      return this.#enter(requester, room, { ...wish, current })
    await joinLimiter.take(String(requester.user))
    return roomJoinLimiter.during(roomId, () => this.#enter(requester, room, { ...wish, current }))
  }

  async #enter(
    requester: Requester,
    room: ActiveRoom,
    wish: {
      readonly reason: string | undefined
      readonly content?: JsonObject
      readonly current: MembershipName | undefined
    },
  ): Promise<EventId> {
    const { hooks, sender, profiles } = this.#deps
    const { current } = wish
    const { roomId } = room
    const verdict = await hooks.ask('userMayJoinRoom', requester, roomId, current === 'invite')
    if (!verdict.ok) throw forbidden(verdict.reason)
    return sender.change(roomId, async (active, change) => {
      if (requester.isGuest && !(await letsGuestsIn(active)))
        throw guestAccessForbidden('Guests may not join this room')
      const present = await active.stateEvent('m.room.member', requester.userId)
      const isIn = getString(present?.content, 'membership') === 'join'
      if (present !== undefined && isIn && wish.content === undefined) return present.row.eventId as EventId
      const profile = await profiles.of(requester.user)
      const content: Record<string, Json> = { ...profile, ...wish.content, membership: 'join' }
      if (wish.reason !== undefined) content['reason'] = wish.reason
      const authoriser = await joinAuthoriser(active, requester.userId, this.#deps)
      if (authoriser !== undefined) content['join_authorised_via_users_server'] = authoriser
      if (isSaidAlready(present, requester, content)) return present.row.eventId as EventId
      return this.#append(active, change, { requester, target: requester.userId, content })
    })
  }

  /**
   * Sets a membership with a content of the client's own, by the rules of the endpoint for that membership. `undefined`: it is only to look
   * as if it were set.
   */
  async set(
    requester: Requester,
    wish: {
      readonly roomId: RoomId
      readonly target: UserId
      readonly membership: string
      readonly content: JsonObject
    },
  ): Promise<EventId | undefined> {
    const { invitations, profiles, settings } = this.#deps
    const { roomId, target, membership, content } = wish
    if (membership === 'join') {
      if (target !== requester.userId) throw forbidden('Nobody joins for another one')
      const allowed = settings.perRoomProfiles ? content : withoutProfile(content)
      return this.join(requester, roomId, { reason: undefined, content: allowed })
    }
    const profile = membership === 'invite' || membership === 'knock' ? await profiles.ofUser(target) : {}
    const act = { roomId, target, reason: undefined, isKnock: membership === 'knock' }
    const change = () => this.#change(requester, act, async () => ({ ...profile, ...content }))
    if (membership !== 'invite') return change()
    return invitations.counted(requester, act, async () =>
      (await invitations.judge(requester, target, roomId)) ? change() : undefined,
    )
  }

  /** Invites a user of any server. */
  async invite(requester: Requester, act: MembershipAct): Promise<void> {
    const { profiles, invitations } = this.#deps
    await invitations.counted(requester, act, async () => {
      if (!(await invitations.judge(requester, act.target, act.roomId))) return
      await this.#change(requester, act, async () => ({ ...(await profiles.ofUser(act.target)), membership: 'invite' }))
    })
  }

  /** Invites whoever has an address, which would take an identity server: none is used here. */
  async inviteByAddress(requester: Requester, roomId: RoomId): Promise<never> {
    const room = await this.#deps.rooms.byId(roomId)
    if (room === undefined) throw forbidden('You are not in this room')
    if ((await this.#membership(room, requester.userId)) !== 'join') throw forbidden('You are not in this room')
    throw serverNotTrusted('This server asks no identity servers; invite by user ID')
  }

  /** Leaves the room, or refuses an invitation. */
  async leave(requester: Requester, roomId: RoomId, reason: string | undefined): Promise<void> {
    const act = { roomId, target: requester.userId, reason }
    await this.#change(requester, act, async (current) => {
      // Leaving twice is leaving once.
      if (current === 'leave') return undefined
      if (current === undefined) throw forbidden('You are not in this room')
      return { membership: 'leave' }
    })
    if (this.#deps.settings.forgetOnLeave) await this.forget(requester, roomId)
  }

  /** Makes somebody leave. */
  async kick(requester: Requester, act: MembershipAct): Promise<void> {
    if (requester.isShadowBanned) return
    await this.#change(requester, act, async (current) => {
      if (current === undefined || current === 'leave' || current === 'ban')
        throw forbidden('The user is not in the room')
      return { membership: 'leave' }
    })
  }

  /** Keeps somebody out. */
  async ban(requester: Requester, act: MembershipAct): Promise<void> {
    if (requester.isShadowBanned) return
    await this.#change(requester, act, async () => ({ membership: 'ban' }))
  }

  /** Lets somebody in again who was kept out. */
  async unban(requester: Requester, act: MembershipAct): Promise<void> {
    if (requester.isShadowBanned) return
    await this.#change(requester, act, async (current) => {
      if (current !== 'ban') throw badState('The user is not banned')
      return { membership: 'leave' }
    })
  }

  /** The user wants to see nothing more of a room they left. */
  async forget(requester: Requester, roomId: RoomId): Promise<void> {
    const { rooms, memberships, commit } = this.#deps
    const room = await rooms.byId(roomId)
    const own = room === undefined ? undefined : (await memberships.ofUser(requester.user)).get(room.room)
    if (room === undefined || own === undefined) throw unknown('You were never in this room', { status: 400 })
    if (own.membership === 'join' || own.membership === 'invite' || own.membership === 'knock') {
      throw unknown('You have to leave the room first', { status: 400 })
    }
    const change = new Change().write(roomForgotten, { room: room.room, user: requester.user })
    change.log({ kind: LOG_KIND.membership, user: requester.user, item: room.room })
    change.onCommitted(() => memberships.forgotten(requester.user, room.room))
    await commit(change)
  }

  /** Changes a membership to what `next` makes of the present one; `undefined` leaves it. */
  async #change(
    requester: Requester,
    act: MembershipAct & { readonly isKnock?: boolean },
    next: (current: MembershipName | undefined) => Promise<JsonObject | undefined>,
  ): Promise<EventId> {
    return this.#deps.sender.change(act.roomId, async (room, change) => {
      const { target, reason } = act
      const own = await this.#membership(room, requester.userId)
      // Whoever is not in the room learns nothing of others, and a stranger nothing at all, but that one may knock.
      const mayAsk = target === requester.userId ? own !== undefined || act.isKnock === true : own === 'join'
      if (!mayAsk) throw forbidden('You are not in this room')
      const present = await room.stateEvent('m.room.member', target)
      const wanted = await next(getString(present?.content, 'membership') as MembershipName | undefined)
      if (wanted === undefined) return (present?.row.eventId ?? '') as EventId
      const content = reason === undefined ? wanted : { ...wanted, reason }
      if (isSaidAlready(present, requester, content)) return present.row.eventId as EventId
      return this.#append(room, change, { requester, target, content })
    })
  }

  async #membership(room: ActiveRoom, userId: UserId): Promise<MembershipName | undefined> {
    return getString((await room.stateEvent('m.room.member', userId))?.content, 'membership') as
      | MembershipName
      | undefined
  }

  async #append(
    room: ActiveRoom,
    change: Change,
    {
      requester,
      target,
      content,
    }: { readonly requester: Requester; readonly target: UserId; readonly content: JsonObject },
  ): Promise<EventId> {
    const appended = await this.#deps.sender.append(room, change, {
      type: 'm.room.member',
      stateKey: target,
      sender: requester.userId,
      senderNumber: requester.user,
      content,
      redacts: undefined,
    })
    return appended.row.eventId as EventId
  }
}

/** Whether the membership is that already, as the same user said it in the same words. */
const isSaidAlready = (
  present: LoadedEvent | undefined,
  { userId }: Requester,
  content: JsonObject,
): present is LoadedEvent => present?.event.sender === userId && isSameContent(present.content, content)

const withoutProfile = ({ displayname: _, avatar_url: _1, ...rest }: JsonObject): JsonObject => rest
