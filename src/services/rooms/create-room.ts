import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { authorize } from '#protocol/auth/authorize.ts'
import {
  badJson,
  forbidden,
  invalidParam,
  invalidRoomState,
  MatrixError,
  roomInUse,
  serverNotTrusted,
  unknown,
  unsupportedRoomVersion,
} from '#protocol/errors.ts'
import { buildEvent } from '#protocol/events/build.ts'
import { parseRoomAlias, type RoomAlias, type RoomId, type UserId } from '#protocol/identifiers.ts'
import { type RoomVersionRules, roomVersion } from '#protocol/room-versions.ts'
import { ActiveRoom } from '#rooms/active-room.ts'
import { appendEvent } from '#rooms/append.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { RoomViews } from '#rooms/views.ts'
import { type Origin, opaqueEventId, refusalOfBuild } from '#services/events/create-event.ts'
import type { EventSender } from '#services/events/send-event.ts'
import type { Limiter } from '#services/limiter.ts'
import type { MemberProfiles } from '#services/profiles/member-profiles.ts'
import type { Reservations } from '#services/reservations.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { emptyFingerprint } from '#storage/state-trie/fingerprint.ts'
import { aliasAdded, aliasFree } from '#storage/stores/aliases.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import { roomAdded, roomIdFree } from '#storage/stores/rooms.ts'
import type { Clock } from '#util/clock.ts'
import { get, isObject, type JsonObject } from '#util/json.ts'
import { randomLetters } from '#util/random.ts'
import { packNumbers } from '#util/varint.ts'
import type { Invitations } from './invitations.ts'
import { defaultPowerLevels, type Preset, presets } from './room-presets.ts'
import { createContent, type RoomRequest, topicContent } from './room-request.ts'

type Deps = {
  readonly rooms: RoomRegistry
  readonly sender: EventSender
  readonly memberships: MembershipIndex
  readonly views: RoomViews
  readonly commit: Commit
  readonly numbers: Numbers
  readonly clock: Clock
  readonly origin: Origin
  readonly fingerprints: Fingerprints
  readonly hooks: Hooks
  readonly invitations: Invitations
  readonly limiter: Limiter
  readonly profiles: MemberProfiles
  readonly reservations: Reservations
  readonly settings: {
    readonly defaultVersion: string
    /** For which presets rooms are encrypted unless the client says otherwise. */
    readonly encryptByDefault: 'all' | 'invite' | 'off'
    /** Overrides of the power levels, by preset. */
    readonly powerLevelOverrides: Readonly<Record<string, JsonObject | undefined>>
  }
}

/** At most this many are invited with the room. */
const MAX_INVITES = 100
/** How often a room is made anew because another process made the same in the same moment. */
const ATTEMPTS = 5

/** Makes rooms. */
export class RoomCreator {
  readonly #deps: Deps
  /** When the last room was made. Rooms whose IDs are hashes would be one room if they were made in one moment in the same words. */
  #lastMoment = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Makes a room with all its first events in one commit, and resolves to its ID. */
  async create(requester: Requester, request: RoomRequest): Promise<RoomId> {
    const { settings, hooks, limiter, invitations } = this.#deps
    const rules = roomVersion(request.version ?? settings.defaultVersion)
    if (rules === undefined) throw unsupportedRoomVersion(`This server has no rooms of version ${request.version}`)
    if (request.invite.length > MAX_INVITES)
      throw invalidParam(`At most ${MAX_INVITES} users can be invited with a room`)
    if (request.invitesByAddress) throw serverNotTrusted('This server asks no identity servers; invite by user ID')
    const { name, invite } = request
    if (!requester.isExemptFromRateLimits) await limiter.take(String(requester.user))
    await invitations.takeWithRoom(requester, invite.length)
    const verdict = await hooks.ask('userMayCreateRoom', requester, { name, invite })
    if (!verdict.ok) throw forbidden(verdict.reason)
    const alias = this.#aliasOf(requester, request)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const roomId = await this.#attempt(requester, rules, { request, alias })
      if (roomId !== undefined) return roomId
    }
    throw unknown('Too many make the same room at once. Try again.', { status: 503 })
  }

  /** Resolves to the ID of the room, or `undefined` where there is a room of that ID. */
  async #attempt(
    requester: Requester,
    rules: RoomVersionRules,
    { request, alias }: { readonly request: RoomRequest; readonly alias: RoomAlias | undefined },
  ): Promise<RoomId | undefined> {
    const { commit, rooms, clock } = this.#deps
    const change = new Change()
    const room = await this.#make(requester, rules, { request, change })
    await this.#fill(room, change, requester, request, alias)
    const { head, roomId } = room
    const row = { ...head, room: room.room, roomId, version: rules.version, createdTs: clock.now() }
    const extremities = packNumbers(head.extremities.map(({ n }) => n))
    change.require(roomIdFree, { roomId })
    change.write(roomAdded, { ...row, writeNumber: 1, extremities, isPartial: false })
    room.head = { ...head, writeNumber: 1 }
    if (alias !== undefined) {
      change.require(aliasFree, { alias })
      change.write(aliasAdded, { alias, room: room.room, creator: requester.user, createdTs: row.createdTs })
    }
    const outcome = await commit(change)
    if (!outcome.ok && outcome.refusedBy === roomIdFree.name) return undefined
    if (!outcome.ok) throw roomInUse(`The alias ${alias} is taken`)
    rooms.add(room)
    return roomId
  }

  /** Begins the room with its create event, which in some versions is its ID. */
  async #make(
    requester: Requester,
    rules: RoomVersionRules,
    { request, change }: { readonly request: RoomRequest; readonly change: Change },
  ): Promise<ActiveRoom> {
    const { origin, clock, numbers, rooms, fingerprints, memberships, views } = this.#deps
    const now = Math.max(clock.now(), this.#lastMoment + 1)
    this.#lastMoment = now
    const content = createContent(requester, rules, request)
    const built = buildEvent(
      {
        type: 'm.room.create',
        sender: requester.userId,
        roomId: rules.roomIdIsCreateHash
          ? undefined
          : (`!${randomLetters(origin.random, 18)}:${origin.serverName}` as RoomId),
        stateKey: '',
        content,
        originServerTs: now,
        depth: 1,
        prevEvents: [],
        authEvents: [],
        redacts: undefined,
        eventId: opaqueEventId(rules, origin),
      },
      { rules, serverName: origin.serverName, signingKey: origin.signingKey },
    )
    if ('ok' in built) throw refusalOfBuild(built)
    const verdict = authorize(built.event, { create: undefined, get: () => undefined }, rules)
    if (!verdict.ok) throw badJson(verdict.reason)
    const row = {
      room: await numbers.next('room'),
      roomId: built.event.roomId,
      version: rules.version,
      createdTs: now,
      writeNumber: 0,
      nextEvent: 1,
      nextStateKey: 0,
      nextState: 1,
      currentState: 0,
      extremities: new Uint8Array(),
      isPartial: false,
    }
    const room = new ActiveRoom({
      row,
      rules,
      extremities: [],
      fingerprint: emptyFingerprint(),
      fingerprints,
      joinedCount: 0,
      store: rooms.store,
    })
    await appendEvent(
      room,
      change,
      {
        ...built,
        sender: requester.user,
        target: undefined,
        authEvents: [],
        receivedTs: now,
        thread: undefined,
        unreadBits: 0,
      },
      { memberships, views },
    )
    return room
  }

  /** The events after the first, in the specification's order. */
  async #fill(
    room: ActiveRoom,
    change: Change,
    requester: Requester,
    request: RoomRequest,
    alias: RoomAlias | undefined,
  ): Promise<void> {
    const { profiles, invitations } = this.#deps
    const mayInvite = (userId: UserId) => invitations.judge(requester, userId, room.roomId)
    const preset = request.preset ?? (request.visibility === 'public' ? 'public_chat' : 'private_chat')
    const state = presets[preset]
    const by = { sender: requester.userId, senderNumber: requester.user, redacts: undefined }
    const add = async (type: string, stateKey: string, content: JsonObject) => {
      try {
        await this.#deps.sender.append(room, change, { type, stateKey, content, ...by })
      } catch (error) {
        throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN' ? impossible(type, error) : error
      }
    }
    await add('m.room.member', requester.userId, { ...(await profiles.of(requester.user)), membership: 'join' })
    await add('m.room.power_levels', '', this.#powerLevels(room.rules, requester, { request, preset }))
    if (alias !== undefined) await add('m.room.canonical_alias', '', { alias })
    const wished = new Set(request.initialState.map(({ type, stateKey }) => `${type}\0${stateKey}`))
    const addUnlessWished = async (type: string, content: JsonObject) => {
      if (!wished.has(`${type}\0`)) await add(type, '', content)
    }
    await addUnlessWished('m.room.join_rules', { join_rule: state.joinRule })
    await addUnlessWished('m.room.history_visibility', { history_visibility: state.historyVisibility })
    await addUnlessWished('m.room.guest_access', { guest_access: state.guestAccess })
    if (this.#isEncrypted(preset)) await addUnlessWished('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })
    for (const { type, stateKey, content } of request.initialState) {
      const isInvite = type === 'm.room.member' && get(content, 'membership') === 'invite'
      if (!isInvite || (await mayInvite(stateKey as UserId))) await add(type, stateKey, content)
    }
    if (request.name !== undefined) await add('m.room.name', '', { name: request.name })
    if (request.topic !== undefined) await add('m.room.topic', '', topicContent(request.topic))
    const invite = { membership: 'invite', ...(request.isDirect ? { is_direct: true } : {}) }
    for (const userId of new Set(request.invite)) {
      if (await mayInvite(userId)) await add('m.room.member', userId, { ...(await profiles.ofUser(userId)), ...invite })
    }
  }

  #aliasOf(requester: Requester, { aliasLocalpart }: RoomRequest): RoomAlias | undefined {
    if (aliasLocalpart === undefined) return undefined
    const alias = parseRoomAlias(`#${aliasLocalpart}:${this.#deps.origin.serverName}`)
    if (alias === undefined || aliasLocalpart.includes(':'))
      throw invalidParam('room_alias_name cannot stand in an alias')
    this.#deps.reservations.judge('alias', alias, requester.appserviceId)
    return alias
  }

  #isEncrypted(preset: Preset): boolean {
    const { encryptByDefault } = this.#deps.settings
    return encryptByDefault === 'all' || (encryptByDefault === 'invite' && preset !== 'public_chat')
  }

  #powerLevels(
    rules: RoomVersionRules,
    requester: Requester,
    { request, preset }: { readonly request: RoomRequest; readonly preset: Preset },
  ): JsonObject {
    const trusted = presets[preset].trustsInvitees ? request.invite : []
    const defaults = defaultPowerLevels(rules, { creator: requester.userId, trusted })
    const content = { ...defaults, ...this.#deps.settings.powerLevelOverrides[preset], ...request.powerLevelOverride }
    if (!isObject(get(content, 'users') ?? {})) throw badJson("power_level_content_override: 'users' must be an object")
    return content
  }
}

/** The room's own rules would not let its first events in. */
const impossible = (type: string, { error }: MatrixError): MatrixError =>
  invalidRoomState(`The room cannot begin like this: ${type}: ${error}`)
