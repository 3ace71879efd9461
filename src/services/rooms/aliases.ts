import type { Requester } from '#api/requester.ts'
import { powerLevelsOf } from '#protocol/auth/auth-state.ts'
import { forbidden, invalidParam, MatrixError, notFound, unknown } from '#protocol/errors.ts'
import { parseRoomAlias, type RoomAlias, type RoomId, serverNameOf } from '#protocol/identifiers.ts'
import { powerOf, requiredPower } from '#protocol/power-levels.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { EventSender } from '#services/events/send-event.ts'
import type { Reservations } from '#services/reservations.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { aliasAdded, aliasesOfRoom, aliasFree, aliasOf, aliasRemoved } from '#storage/stores/aliases.ts'
import type { Clock } from '#util/clock.ts'
import type { JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly rooms: RoomRegistry
  readonly sender: EventSender
  readonly memberships: MembershipIndex
  readonly serverName: string
  readonly reservations: Reservations
}

/** Names of rooms. https://spec.matrix.org/v1.19/client-server-api/#room-aliases */
export class RoomAliases {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The ID of the room that an alias, or an ID, names. */
  async resolve(idOrAlias: RoomId | RoomAlias): Promise<RoomId> {
    const alias = parseRoomAlias(idOrAlias)
    return alias === undefined ? (idOrAlias as RoomId) : this.find(alias)
  }

  /** The ID of the room that an alias names; throws where it names none. */
  async find(alias: RoomAlias): Promise<RoomId> {
    const { db, rooms } = this.#deps
    const found = await aliasOf(db, alias)
    if (found === undefined) throw notFound(`There is no room with the alias ${alias}`)
    return (await rooms.byNumber(found.room)).roomId
  }

  /** Gives a room of this server's one more alias. */
  async add(requester: Requester, alias: RoomAlias, roomId: RoomId): Promise<void> {
    const { serverName, rooms, memberships, commit, clock, reservations } = this.#deps
    if (serverNameOf(alias) !== serverName) throw invalidParam('The alias belongs to another server')
    reservations.judge('alias', alias, requester.appserviceId)
    const room = await rooms.byId(roomId)
    const membership = room === undefined ? undefined : (await memberships.ofUser(requester.user)).get(room.room)
    if (room === undefined || (membership?.membership !== 'join' && !requester.isAdmin)) {
      throw forbidden('You have to be in the room to give it an alias')
    }
    const change = new Change()
      .require(aliasFree, { alias })
      .write(aliasAdded, { alias, room: room.room, creator: requester.user, createdTs: clock.now() })
    if (!(await commit(change)).ok) throw unknown(`The alias ${alias} is taken`, { status: 409 })
  }

  /** Takes an alias away: by who gave it, by who may set the room's main alias, or by an administrator. */
  async remove(requester: Requester, alias: RoomAlias): Promise<void> {
    const { db, commit } = this.#deps
    const found = await aliasOf(db, alias)
    if (found === undefined) throw notFound(`There is no room with the alias ${alias}`)
    const isOwn = found.creator === requester.user || requester.isAdmin
    if (!isOwn && !(await this.#maySetMainAlias(requester, found.room)))
      throw forbidden('You may not remove this alias')
    await commit(new Change().write(aliasRemoved, { alias }))
    await this.#strike(requester, alias, found.room)
  }

  /** Takes a removed alias out of what the room says of itself, if its remover may. */
  async #strike(requester: Requester, alias: RoomAlias, room: number): Promise<void> {
    const { rooms, sender } = this.#deps
    const type = 'm.room.canonical_alias'
    const { roomId } = await rooms.byNumber(room)
    try {
      await sender.change(roomId, async (active, change) => {
        const content = withoutAlias((await active.stateEvent(type, ''))?.content, alias)
        if (content === undefined) return
        const by = { sender: requester.userId, senderNumber: requester.user, redacts: undefined }
        await sender.append(active, change, { type, stateKey: '', content, ...by })
      })
    } catch (error) {
      // The alias is gone whether or not they may change the room: so the specification recommends it.
      if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') throw error
    }
  }

  /** The aliases of a room on this server. */
  async ofRoom(room: number): Promise<RoomAlias[]> {
    return (await aliasesOfRoom(this.#deps.db, room)).map(({ alias }) => alias as RoomAlias)
  }

  async #maySetMainAlias(requester: Requester, room: number): Promise<boolean> {
    const { rooms, memberships } = this.#deps
    const active = await rooms.byNumber(room)
    if ((await memberships.ofUser(requester.user)).get(room)?.membership !== 'join') return false
    const state = await active.authState([['m.room.power_levels', '']])
    const levels = powerLevelsOf(state, active.rules)
    if (isRefusal(levels)) return false
    const power = powerOf(requester.userId, { create: state.create, powerLevels: levels }, active.rules)
    return power >= requiredPower('m.room.canonical_alias', true, levels)
  }
}

/** What the room then says; `undefined` where it does not speak of the alias. */
function withoutAlias(content: JsonObject | undefined, alias: RoomAlias): JsonObject | undefined {
  const { alias: main, alt_aliases: others, ...rest } = content ?? {}
  const isListed = Array.isArray(others) && others.includes(alias)
  if (main !== alias && !isListed) return undefined
  return {
    ...rest,
    ...(main === undefined || main === alias ? {} : { alias: main }),
    ...(others === undefined ? {} : { alt_aliases: isListed ? others.filter((one) => one !== alias) : others }),
  }
}
