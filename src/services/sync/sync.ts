import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Reader } from '#storage/database.ts'
import { userEntries } from '#storage/stores/log.ts'
import type { Feed } from '#streams/feed.ts'
import { printToken, type Token } from '#streams/token.ts'
import type { Clock } from '#util/clock.ts'
import { nextTurn } from '#util/next-turn.ts'
import { printStripped } from './invited-room.ts'
import { printJoined, printLeft, type RoomPrinting } from './joined-room.ts'
import { isQuiet } from './quiet.ts'
import type { SyncRequest } from './request.ts'
import type { RoomContext, SyncContext, UserPart, UserSection } from './sections.ts'
import { type Candidate, skeletonOf } from './skeleton.ts'
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
  readonly ignored: (user: number) => Promise<ReadonlySet<number>>
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

type PrintRoom = (room: RoomContext) => Promise<string | undefined>
type Printing = {
  readonly context: SyncContext
  readonly readAhead: RoomContext['readAhead']
  readonly print: PrintRoom
}
type Answer = { readonly text: string; readonly isNews: boolean }

/** Tells clients what happened since their token. https://spec.matrix.org/v1.19/client-server-api/#syncing */
export class Syncs {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Answers at once if there is news, else as soon as there is or when the time is over. */
  async sync(request: SyncRequest): Promise<string> {
    const { waiters, clock } = this.#deps
    const deadline = clock.now() + Math.min(request.timeoutMs, MAX_TIMEOUT_MS)
    let isGone = false
    const left = () => (isGone || waiters.isClosed || isImmediate(request) ? 0 : deadline - clock.now())
    const begin = () => (left() > 0 ? waiters.wait(request.requester.user, left()) : undefined)
    const end = async (wait: Wait) => {
      const stopListening = request.onGone(() => {
        isGone = true
        wait.cancel()
      })
      await wait.ended
      stopListening()
    }
    // What happens from here on ends the wait, so that nothing falls between looking and waiting.
    let wait = begin()
    if (wait !== undefined && isQuiet(request, this.#deps)) {
      await end(wait)
      // Whoever was woken has news as good as always, and does not wait again.
      const answer = await this.#answer(request)
      if (answer.isNews || left() <= 0) return answer.text
      wait = begin()
    }
    for (;;) {
      const answer = await this.#answer(request)
      if (answer.isNews || wait === undefined) {
        wait?.cancel()
        return answer.text
      }
      await end(wait)
      wait = begin()
    }
  }

  async #answer(request: SyncRequest): Promise<Answer> {
    const { feed, typing, incarnation } = this.#deps
    const stamp = typing.stamp()
    const context = await this.#context(request, feed.applied)
    const rooms = await this.#rooms(request, context)
    const parts: UserPart[] = []
    for (const section of this.#deps.userSections) {
      if (section.isInEveryAnswer || mayHaveNews(section, context)) parts.push(await section.print(context))
    }
    const toDevice = parts.find((part) => part.toDevice !== undefined)?.toDevice ?? context.since?.toDevice ?? 0
    const next = printToken({ incarnation, position: context.upTo, toDevice, stamp, place: undefined })
    const fields = [`"next_batch":${JSON.stringify(next)}`, ...parts.flatMap((part) => part.fields)]
    if (rooms !== '') fields.push(`"rooms":{${rooms}}`)
    return { text: `{${fields.join(',')}}`, isNews: rooms !== '' || parts.some((part) => part.isNews) }
  }

  async #context({ requester, since, filter }: SyncRequest, upTo: number): Promise<SyncContext> {
    const { clock, memberships, ignored } = this.#deps
    return {
      requester,
      since,
      upTo,
      now: clock.now(),
      filter,
      memberships: memberships.peekUser(requester.user) ?? (await memberships.ofUser(requester.user)),
      own: this.#hasNoOwn(requester.user, since) ? [] : await this.#own(requester.user, since, upTo),
      ignored: await ignored(requester.user),
    }
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

  async #rooms(request: SyncRequest, context: SyncContext): Promise<string> {
    const { db, feed, typing } = this.#deps
    const skeleton = await skeletonOf(context, request.fullState, {
      db,
      feed,
      hasTypingChanged: (room) => typing.hasChanged(room, context.since?.stamp),
    })
    const printing = { ...this.#deps.printing, pageToken: (position: number) => this.#pageToken(position) }
    const sections: readonly (readonly [string, readonly Candidate[], PrintRoom])[] = [
      ['join', skeleton.joined, (room) => printJoined(room, request, printing)],
      ['invite', skeleton.invited, (room) => stripped(room, 'invite_state')],
      ['knock', skeleton.knocked, (room) => stripped(room, 'knock_state')],
      ['leave', skeleton.left, (room) => printLeft(room, request, printing)],
    ]
    let text = ''
    for (const [name, candidates, print] of sections) {
      if (candidates.length === 0) continue
      const rooms = await this.#print(candidates, context, print)
      if (rooms.length > 0) text += `${text === '' ? '' : ','}"${name}":{${rooms.join(',')}}`
    }
    return text
  }

  async #print(candidates: readonly Candidate[], context: SyncContext, print: PrintRoom): Promise<string[]> {
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

  async #printOne(
    { membership: { room }, since }: Candidate,
    { context, readAhead, print }: Printing,
  ): Promise<string | undefined> {
    const { views, excludedRooms } = this.#deps
    const view = views.atHand(room) ?? (await views.findByNumber(room))
    // It was purged since the memberships were read.
    if (view === undefined || !context.filter.wantsRoom(view.roomId) || excludedRooms.has(view.roomId)) return undefined
    return print({ ...context, view, roomSince: since, readAhead })
  }

  /** What whole rooms need is read for all of them, if they are more than one. */
  async #readAhead(candidates: readonly Candidate[], context: SyncContext): Promise<RoomContext['readAhead']> {
    const whole = candidates.filter(({ since }) => since === 0).map(({ membership }) => membership.room)
    return whole.length > 1 ? this.#deps.printing.sections.readAhead(context, whole) : undefined
  }

  #pageToken(position: number): string {
    const { incarnation } = this.#deps
    return printToken({ incarnation, position, toDevice: 0, stamp: undefined, place: undefined })
  }
}

const mayHaveNews = (section: UserSection, { requester, since, own }: SyncContext): boolean =>
  since === undefined || own === undefined || own.length > 0 || !section.isQuiet(requester, since)

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
