import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Reader } from '#storage/database.ts'
import { userEntries } from '#storage/stores/log.ts'
import type { Feed } from '#streams/feed.ts'
import { printToken, type Token } from '#streams/token.ts'
import type { Clock } from '#util/clock.ts'
import { nextTurn } from '#util/next-turn.ts'
import { printStripped } from './invited-room.ts'
import { type PrintedRoom, printJoined, printLeft, type RoomPrinting } from './joined-room.ts'
import { isQuiet } from './quiet.ts'
import type { SyncRequest } from './request.ts'
import type { RoomContext, SyncContext, UserPart, UserSection } from './sections.ts'
import { type Candidate, type Skeleton, skeletonOf } from './skeleton.ts'
import type { Wait, Waiters } from './waiters.ts'

type Deps = {
  readonly db: Reader
  readonly feed: Feed
  readonly views: RoomViews
  readonly memberships: MembershipIndex
  readonly waiters: Waiters
  readonly clock: Clock
  readonly incarnation: number
  readonly printing: Omit<RoomPrinting, 'pageToken'>
  readonly userSections: readonly UserSection[]
  /** Whom users ignore. */
  readonly ignored: {
    readonly of: (user: number) => Promise<ReadonlySet<number>>
    readonly atHand: (user: number) => ReadonlySet<number> | undefined
  }
  /** The stamp of what is not kept, and which rooms it changed since a stamp. */
  readonly typing: {
    readonly stamp: () => NonNullable<Token['stamp']>
    readonly hasChanged: (room: number, since: Token['stamp']) => boolean
  }
  /** Room IDs that no sync shows. */
  readonly excludedRooms: ReadonlySet<string>
}

/** The longest wait of a request, whatever the client asks for. */
const MAX_TIMEOUT_MS = 5 * 60_000
/** A client with more of its own entries than this is told everything of its own anew. */
const MAX_OWN = 1_000
/** How many rooms are read at once, before others get their turn. */
const ROOMS_AT_ONCE = 50

type PrintRoom = (room: RoomContext) => PrintedRoom
type Printing = {
  readonly context: SyncContext
  readonly readAhead: RoomContext['readAhead']
  readonly print: PrintRoom
}
type Answer = { readonly text: string; readonly isNews: boolean }

/** Tells clients what happened since their token. https://spec.matrix.org/v1.19/client-server-api/#syncing */
export class Syncs {
  readonly #deps: Deps
  readonly #printing: RoomPrinting
  readonly #looking: Parameters<typeof skeletonOf>[2]

  constructor(deps: Deps) {
    this.#deps = deps
    this.#printing = { ...deps.printing, pageToken: (position) => this.#pageToken(position) }
    this.#looking = { ...deps, hasTypingChanged: (room, stamp) => deps.typing.hasChanged(room, stamp) }
  }

  /** Answers at once if there is news, else as soon as there is or when the time is over. */
  async sync(request: SyncRequest): Promise<string> {
    const deadline = this.#deps.clock.now() + Math.min(request.timeoutMs, MAX_TIMEOUT_MS)
    let wait = this.#begin(request, deadline)
    if (wait !== undefined && isQuiet(request, this.#deps)) {
      await ended(wait, request)
      wait = undefined
    }
    // Whoever was woken has news as good as always, and looks without waiting again. Whoever finds none looks once more when they wait, so
    // that nothing falls between looking and waiting.
    for (;;) {
      const answering = this.#answer(request)
      const answer = answering instanceof Promise ? await answering : answering
      if (answer.isNews || (wait === undefined && this.#left(request, deadline) <= 0)) {
        wait?.cancel()
        return answer.text
      }
      if (wait !== undefined) await ended(wait, request)
      wait = wait === undefined ? this.#begin(request, deadline) : undefined
    }
  }

  /** For how long the request may wait yet. */
  #left(request: SyncRequest, deadline: number): number {
    const { waiters, clock } = this.#deps
    return request.client.isGone || waiters.isClosed || isImmediate(request) ? 0 : deadline - clock.now()
  }

  #begin(request: SyncRequest, deadline: number): Wait | undefined {
    const left = this.#left(request, deadline)
    return left > 0 ? this.#deps.waiters.wait(request.requester.user, left) : undefined
  }

  #answer(request: SyncRequest): Answer | Promise<Answer> {
    const { feed, typing } = this.#deps
    const stamp = typing.stamp()
    const context = this.#contextAtHand(request, feed.applied)
    if (context !== undefined) return this.#print(request, context, stamp)
    return this.#context(request, feed.applied).then((read) => this.#print(request, read, stamp))
  }

  #print(request: SyncRequest, context: SyncContext, stamp: Token['stamp']): Answer | Promise<Answer> {
    const rooms = this.#rooms(request, context)
    const parts = this.#parts(context)
    if (!(rooms instanceof Promise || parts instanceof Promise)) return this.#laidOut(context, stamp, { rooms, parts })
    return Promise.all([rooms, parts]).then(([text, all]) => this.#laidOut(context, stamp, { rooms: text, parts: all }))
  }

  #laidOut(
    { since, upTo }: SyncContext,
    stamp: Token['stamp'],
    { rooms, parts }: { readonly rooms: string; readonly parts: readonly UserPart[] },
  ): Answer {
    const { incarnation } = this.#deps
    let toDevice = since?.toDevice ?? 0
    let isNews = rooms !== ''
    let fields = ''
    for (const part of parts) {
      toDevice = part.toDevice ?? toDevice
      isNews ||= part.isNews
      for (const field of part.fields) fields += `,${field}`
    }
    const next = printToken({ incarnation, position: upTo, toDevice, stamp, place: undefined })
    const inRooms = rooms === '' ? '' : `,"rooms":{${rooms}}`
    return { text: `{"next_batch":${JSON.stringify(next)}${fields}${inRooms}}`, isNews }
  }

  #parts(context: SyncContext): UserPart[] | Promise<UserPart[]> {
    const parts: (UserPart | Promise<UserPart>)[] = []
    for (const section of this.#deps.userSections)
      if (section.isInEveryAnswer || mayHaveNews(section, context)) parts.push(section.print(context))
    return parts.every(isHere) ? parts : Promise.all(parts)
  }

  #contextAtHand(request: SyncRequest, upTo: number): SyncContext | undefined {
    const { requester, since } = request
    const memberships = this.#deps.memberships.peekUser(requester.user)
    const ignored = this.#deps.ignored.atHand(requester.user)
    if (memberships === undefined || ignored === undefined || !this.#hasNoOwn(requester.user, since)) return undefined
    return this.#contextOf(request, upTo, { memberships, own: [], ignored })
  }

  async #context(request: SyncRequest, upTo: number): Promise<SyncContext> {
    const { requester, since } = request
    const memberships = await this.#deps.memberships.ofUser(requester.user)
    const own = this.#hasNoOwn(requester.user, since) ? [] : await this.#own(requester.user, since, upTo)
    const ignored = await this.#deps.ignored.of(requester.user)
    return this.#contextOf(request, upTo, { memberships, own, ignored })
  }

  #contextOf(
    { requester, since, filter }: SyncRequest,
    upTo: number,
    { memberships, own, ignored }: Pick<SyncContext, 'memberships' | 'own' | 'ignored'>,
  ): SyncContext {
    return { requester, since, upTo, now: this.#deps.clock.now(), filter, memberships, own, ignored }
  }

  #hasNoOwn(user: number, since: Token | undefined): boolean {
    const { feed } = this.#deps
    return since !== undefined && since.position >= feed.startedAt && feed.lastOfUser(user) <= since.position
  }

  async #own(user: number, since: Token | undefined, upTo: number): Promise<SyncContext['own']> {
    const { db } = this.#deps
    if (since === undefined) return undefined
    const entries = await userEntries(db, user, { since: since.position, upTo, limit: MAX_OWN + 1 })
    return entries.length > MAX_OWN ? undefined : entries
  }

  #rooms(request: SyncRequest, context: SyncContext): string | Promise<string> {
    const skeleton = skeletonOf(context, request.fullState, this.#looking)
    if (skeleton instanceof Promise) return skeleton.then((known) => this.#printRooms(known, request, context))
    const { joined, invited, knocked, left } = skeleton
    const [only] = joined
    if (joined.length + invited.length + knocked.length + left.length === 0) return ''
    if (only === undefined || joined.length + invited.length + knocked.length + left.length > 1)
      return this.#printRooms(skeleton, request, context)
    const print: PrintRoom = (room) => printJoined(room, request, this.#printing)
    const text = this.#printOne(only, { context, readAhead: undefined, print })
    return text instanceof Promise ? text.then(inJoin) : inJoin(text)
  }

  async #printRooms(skeleton: Skeleton, request: SyncRequest, context: SyncContext): Promise<string> {
    const printing = this.#printing
    const sections: readonly (readonly [string, readonly Candidate[], PrintRoom])[] = [
      ['join', skeleton.joined, (room) => printJoined(room, request, printing)],
      ['invite', skeleton.invited, (room) => stripped(room, 'invite_state')],
      ['knock', skeleton.knocked, (room) => stripped(room, 'knock_state')],
      ['leave', skeleton.left, (room) => printLeft(room, request, printing)],
    ]
    let text = ''
    for (const [name, candidates, print] of sections) {
      if (candidates.length === 0) continue
      const rooms = await this.#printEach(candidates, context, print)
      if (rooms.length > 0) text += `${text === '' ? '' : ','}"${name}":{${rooms.join(',')}}`
    }
    return text
  }

  async #printEach(candidates: readonly Candidate[], context: SyncContext, print: PrintRoom): Promise<string[]> {
    const printed: string[] = []
    for (let at = 0; at < candidates.length; at += ROOMS_AT_ONCE) {
      if (at > 0) await nextTurn()
      const slice = candidates.slice(at, at + ROOMS_AT_ONCE)
      const readAhead = slice.length === 1 ? undefined : await this.#readAhead(slice, context)
      const texts = await Promise.all(
        slice.map((candidate) => this.#printOne(candidate, { context, readAhead, print })),
      )
      for (const text of texts) if (text !== undefined) printed.push(text)
    }
    return printed
  }

  #printOne(candidate: Candidate, printing: Printing): PrintedRoom {
    const { views } = this.#deps
    const { room } = candidate.membership
    const view = views.atHand(room)
    if (view !== undefined) return this.#printView(view, candidate, printing)
    return views.findByNumber(room).then((found) => this.#printView(found, candidate, printing))
  }

  #printView(
    view: RoomView | undefined,
    { since: roomSince }: Candidate,
    { context, readAhead, print }: Printing,
  ): PrintedRoom {
    const { requester, since, upTo, now, filter, memberships, own, ignored } = context
    // It was purged since the memberships were read.
    if (view === undefined || !filter.wantsRoom(view.roomId) || this.#deps.excludedRooms.has(view.roomId))
      return undefined
    return print({ requester, since, upTo, now, filter, memberships, own, ignored, view, roomSince, readAhead })
  }

  /** What whole rooms need is read for all of them, if they are more than one. */
  async #readAhead(candidates: readonly Candidate[], context: SyncContext): Promise<RoomContext['readAhead']> {
    const whole = candidates.filter(({ since }) => since === 0).map(({ membership }) => membership.room)
    return whole.length > 1 ? this.#printing.sections.readAhead(context, whole) : undefined
  }

  #pageToken(position: number): string {
    const { incarnation } = this.#deps
    return printToken({ incarnation, position, toDevice: 0, stamp: undefined, place: undefined })
  }
}

const isHere = (part: UserPart | Promise<UserPart>): part is UserPart => !(part instanceof Promise)
const inJoin = (room: string | undefined): string => (room === undefined ? '' : `"join":{${room}}`)

const mayHaveNews = (section: UserSection, { requester, since, own }: SyncContext): boolean =>
  since === undefined || own === undefined || own.length > 0 || !section.isQuiet(requester, since)

/** Waits until something may have happened, or the client hangs up. */
async function ended(wait: Wait, { client }: SyncRequest): Promise<void> {
  client.waiting = wait
  await wait.ended
  client.waiting = undefined
}

/** Whether the client is told everything, and so has nothing to wait for. */
const isImmediate = ({ since, fullState }: SyncRequest): boolean => since === undefined || fullState

/** Invitations by those whom the user ignores are not shown. */
async function stripped(room: RoomContext, under: 'invite_state' | 'knock_state'): Promise<string | undefined> {
  const membership = room.memberships.get(room.view.room)
  if (membership === undefined) return undefined
  const own = await room.view.event(membership.event % 2 ** 28)
  if (own === undefined || (under === 'invite_state' && room.ignored.has(own.row.sender))) return undefined
  return printStripped(room.view, membership, under)
}
