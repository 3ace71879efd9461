import type { Requester } from '#api/requester.ts'
import { invalidParam, notFound } from '#protocol/errors.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { Bundles } from '#services/events/bundles.ts'
import { type Audience, printEvents } from '#services/events/client-events.ts'
import { wholeState } from '#services/sync/state-delta.ts'
import { type SeenEvent, type Viewer, visibleTo } from '#services/sync/visibility.ts'
import type { Reader } from '#storage/database.ts'
import { numberInRoom } from '#storage/room-key.ts'
import { eventOfRoom } from '#storage/stores/events.ts'
import { type MembershipName, membershipsOfRoom } from '#storage/stores/memberships.ts'
import { readToken } from '#streams/token.ts'
import type { Clock } from '#util/clock.ts'
import { getString, type JsonObject } from '#util/json.ts'
import type { RoomAccess, RoomDoor } from './room-access.ts'

type Deps = {
  readonly db: Reader
  readonly door: RoomDoor
  readonly bundles: Bundles
  readonly clock: Clock
  readonly incarnation: number
  readonly ignored: (user: number) => Promise<ReadonlySet<number>>
}

/** How many members are read at once. */
const MEMBERS_PAGE = 500

/** Answers what is in a room, one event or the state. https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room */
export class RoomReader {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** One event, printed. Who may not look at the room hears the same as of an event that is not there. */
  async event(requester: Requester, roomId: string, eventId: string): Promise<string> {
    const access = await this.#deps.door.find(requester, roomId)
    const [seen] = access === undefined ? [] : await this.find(access.view, access.viewer, eventId)
    if (access === undefined || seen === undefined) throw notFound('There is no such event, or you may not see it')
    const [printed] = await this.print(requester, access, [seen])
    return printed ?? '{}'
  }

  /** The whole state, printed. */
  async state(requester: Requester, roomId: string): Promise<string> {
    const access = await this.#deps.door.open(requester, roomId)
    const { view, viewer, state } = access
    const printed = await this.print(requester, access, asSeen(await wholeState(view, state), viewer))
    return `[${printed.join(',')}]`
  }

  /** One piece of the state: its content, or the whole event, printed. */
  async stateEvent(
    requester: Requester,
    roomId: string,
    wanted: { readonly type: string; readonly stateKey: string; readonly format: 'content' | 'event' },
  ): Promise<string> {
    const access = await this.#deps.door.open(requester, roomId)
    const { view, viewer, state } = access
    const event = await view.stateEvent(state, wanted.type, wanted.stateKey)
    if (event === undefined) throw notFound('There is no such state in this room')
    if (wanted.format === 'content') return JSON.stringify(event.content)
    const [printed] = await this.print(requester, access, asSeen([event], viewer))
    return printed ?? '{}'
  }

  /** The membership events of a room now, or at a token. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
  async members(
    requester: Requester,
    roomId: string,
    wanted: MembershipFilter & { readonly at: string | undefined },
  ): Promise<string> {
    const access = await this.#deps.door.open(requester, roomId)
    const { view, viewer, state, upTo } = access
    const base = wanted.at === undefined ? state : await view.stateAt(Math.min(upTo, this.#positionOf(wanted.at)))
    const isWanted = membershipFilter(wanted)
    const members = (await wholeState(view, base)).filter(
      ({ row, content }) => row.type === 'm.room.member' && isWanted(getString(content, 'membership')),
    )
    const printed = await this.print(requester, access, asSeen(members, viewer))
    return `{"chunk":[${printed.join(',')}]}`
  }

  /** The members of a room with name and picture, for those who are in it. */
  async joinedMembers(requester: Requester, roomId: string): Promise<Record<string, JsonObject>> {
    const { view } = await this.#deps.door.openToMembers(requester, roomId)
    const joined: Record<string, JsonObject> = {}
    for (let after = 0; ; ) {
      const page = await membershipsOfRoom(this.#deps.db, { room: view.room, after, limit: MEMBERS_PAGE })
      const events = await view.events(page.filter(isJoined).map(({ event }) => numberInRoom(event)))
      for (const { event } of events.values()) {
        const name = getString(event.content, 'displayname')
        const avatar = getString(event.content, 'avatar_url')
        joined[event.stateKey ?? ''] = {
          ...(name === undefined ? {} : { display_name: name }),
          ...(avatar === undefined ? {} : { avatar_url: avatar }),
        }
      }
      const last = page.at(-1)
      if (last === undefined || page.length < MEMBERS_PAGE) return joined
      after = last.user
    }
  }

  /** An event of the room by its ID, if the viewer may see it. */
  async find(view: RoomView, viewer: Viewer, eventId: string): Promise<SeenEvent[]> {
    const row = await eventOfRoom(this.#deps.db, view.room, eventId)
    return row === undefined ? [] : visibleTo(view, viewer, [view.store.loaded(row, view)])
  }

  /** Prints events with `room_id`. */
  async print(requester: Requester, { view, viewer, upTo }: RoomAccess, seen: readonly SeenEvent[]): Promise<string[]> {
    const { clock, ignored } = this.#deps
    const audience: Audience = {
      requester,
      now: clock.now(),
      withRoomId: true,
      ignored: await ignored(requester.user),
      viewer,
      upTo,
    }
    return printEvents(view, seen, audience, this.#deps)
  }

  /** The position that a token stands for; of a token of another incarnation, as of now. */
  #positionOf(text: string): number {
    const token = readToken(text)
    if (token === undefined) throw invalidParam("'at' is no token of this server")
    if (token.place !== undefined) return token.place.pos
    return token.incarnation === this.#deps.incarnation ? token.position : Number.MAX_SAFE_INTEGER
  }
}

type MembershipFilter = { readonly membership: string | undefined; readonly notMembership: string | undefined }

/** Given both, either will do. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
const membershipFilter =
  ({ membership, notMembership }: MembershipFilter) =>
  (one: string | undefined): boolean => {
    if (one === undefined) return false
    if (membership === undefined) return one !== notMembership
    return one === membership || (notMembership !== undefined && one !== notMembership)
  }

/** State events, seen by somebody who may see the state. */
export const asSeen = (events: readonly LoadedEvent[], { membership }: Viewer): SeenEvent[] =>
  events.map((event) => ({ event, membership: membership?.membership ?? 'leave' }))

const isJoined = ({ membership }: { readonly membership: MembershipName }): boolean => membership === 'join'
