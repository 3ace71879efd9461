import { powerLevelsOf } from '#protocol/auth/auth-state.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { powerOf } from '#protocol/power-levels.ts'
import type { PushContext } from '#protocol/push/conditions.ts'
import {
  type CompiledRules,
  compileSharedRules,
  evaluate,
  mentionedUsers,
  type PushVerdict,
  sharedVerdict,
  silent,
} from '#protocol/push/evaluate.ts'
import { PushEvent } from '#protocol/push/push-event.ts'
import { readRelation } from '#protocol/relations.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Judgement } from '#services/events/send-event.ts'
import type { Reader } from '#storage/database.ts'
import { eventRowsOfRoom } from '#storage/stores/events.ts'
import { unreadMarkAdded } from '#storage/stores/unread.ts'
import { getString } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'

/** The push rules of users who changed theirs. */
export type CustomRules = {
  /** Everybody on this server whose rules are not the default ones. */
  readonly users: () => Promise<ReadonlySet<number>>
  /** The rules of one of them. */
  readonly of: (user: number) => Promise<CompiledRules>
}

type Deps = {
  readonly db: Reader
  readonly users: Users
  readonly memberships: MembershipIndex
  readonly customRules: CustomRules
}

/** How a member's verdict differs from the shared one. */
type Difference = { readonly user: number; readonly notify: number; readonly highlight: number }

/**
 * Judges what an event means to the local members of its room. Those with untouched rules share one verdict, kept on the event; a row is
 * written only for members whose verdict differs, so a message in a room of thousands writes as little as in a room of two.
 */
export class Judge {
  readonly #deps: Deps
  readonly #shared = compileSharedRules()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The caller holds the room's queue. */
  readonly judge = async (room: ActiveRoom, event: RoomEvent, sender: number): Promise<Judgement> => {
    const context = await this.#context(room, event)
    const pushed = new PushEvent(event)
    const common = sharedVerdict(this.#shared, pushed, { ...context, isMentioned: false })
    const differences = await this.#differences(room, { pushed, context, common, sender })
    const thread = await this.#threadOf(room, event)
    return {
      unreadBits: (common.notify ? 1 : 0) + (common.highlight ? 2 : 0),
      thread,
      write: (change, appended) => {
        const { row } = appended
        appended.unreadMarks = new Map(differences.map((one) => [one.user, one]))
        for (const one of differences) {
          change.write(unreadMarkAdded, { ...one, room: row.room, pos: row.pos ?? 0, thread })
        }
      },
    }
  }

  async #context(room: ActiveRoom, event: RoomEvent): Promise<PushContext> {
    const state = await room.authState([['m.room.power_levels', '']])
    const levels = powerLevelsOf({ ...state }, room.rules)
    // Power levels that cannot be read let nobody do anything: no condition on them holds.
    const known = isRefusal(levels) ? powerLevelsOf({ create: state.create, get: () => undefined }, room.rules) : levels
    if (isRefusal(known)) throw new Error('the default power levels cannot be read')
    return {
      memberCount: room.joinedCount,
      senderPower: powerOf(event.sender, { create: state.create, powerLevels: known }, room.rules),
      powerLevels: known,
    }
  }

  async #differences(
    room: ActiveRoom,
    judged: {
      readonly pushed: PushEvent
      readonly context: PushContext
      readonly common: PushVerdict
      readonly sender: number
    },
  ): Promise<Difference[]> {
    const { pushed, context, common, sender } = judged
    const members = await this.#deps.memberships.ofRoom(room.room)
    const custom = await this.#customMembers(members)
    const differences: Difference[] = []
    const note = (user: number, verdict: PushVerdict) => {
      const notify = Number(verdict.notify) - Number(common.notify)
      const highlight = Number(verdict.highlight) - Number(common.highlight)
      if (user !== sender && (notify !== 0 || highlight !== 0)) differences.push({ user, notify, highlight })
    }
    for (const user of custom) note(user, await this.#ownVerdict(room, user, { pushed, context }))
    const named = mentionedUsers(pushed.event)
    if (named.length === 0) return differences
    const mentioned = sharedVerdict(this.#shared, pushed, { ...context, isMentioned: true })
    for (const userId of named) {
      const user = (await this.#deps.users.find(userId))?.user
      if (user !== undefined && members.get(user) === 'join' && !custom.has(user)) note(user, mentioned)
    }
    return differences
  }

  async #ownVerdict(
    room: ActiveRoom,
    user: number,
    { pushed, context }: { readonly pushed: PushEvent; readonly context: PushContext },
  ): Promise<PushVerdict> {
    const rules = await this.#deps.customRules.of(user)
    if (rules.userId === pushed.event.sender) return silent
    const member = await room.stateEvent('m.room.member', rules.userId)
    return evaluate(rules, pushed, { ...context, displayName: getString(member?.content, 'displayname') })
  }

  /** The joined members whose rules are their own, found by walking whichever are fewer. */
  async #customMembers(members: ReadonlyMap<number, string>): Promise<Set<number>> {
    const custom = await this.#deps.customRules.users()
    const found = new Set<number>()
    if (custom.size < members.size) {
      for (const user of custom) if (members.get(user) === 'join') found.add(user)
    } else {
      for (const [user, membership] of members) if (membership === 'join' && custom.has(user)) found.add(user)
    }
    return found
  }

  /** The root of the thread that an event belongs to: named by itself, or that of what it relates to. https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts */
  async #threadOf(room: ActiveRoom, event: RoomEvent): Promise<string | undefined> {
    const relation = readRelation(event.content)
    if (relation === undefined) return undefined
    if (relation.relType === 'm.thread') return relation.eventId
    const [target] = await eventRowsOfRoom(this.#deps.db, room.room, [relation.eventId])
    return target?.thread
  }
}
