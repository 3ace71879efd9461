import assert from 'node:assert/strict'
import { authEventKeys } from '#protocol/auth/auth-event-types.ts'
import { authorize } from '#protocol/auth/authorize.ts'
import { type EventDraft, roomEvent, rulesOf } from '#protocol/event-builder.testing.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { JsonObject } from '#util/json.ts'
import type { Verdict } from '#util/verdict.ts'
import type { ResolutionContext, StateForCheck } from './resolution-context.ts'
import { resolve } from './resolve.ts'

/** The state of a room: event IDs by type and state key. */
export type State = ReadonlyMap<string, string>

/** What happens next in a story. The name becomes the event ID; the time is the order of telling unless given. */
export type Step = EventDraft & { readonly name: string; readonly by: string; readonly isForced?: boolean }

/** The key of a type and state key in these tests. */
export const keyOf = (type: string, stateKey: string): string => `${type}\0${stateKey}`

/** A room in which things happen, also at the same time: each step follows a state and leads to a new one. */
export class RoomStory {
  readonly rules: RoomVersionRules
  readonly events = new Map<string, RoomEvent>()
  readonly rejected = new Set<string>()
  #now = 0

  constructor(version: string) {
    this.rules = rulesOf(version)
  }

  /** A room by @alice:x with these power levels, open for everybody, in which these users are. */
  begin(levels: JsonObject, users: readonly string[] = []): State {
    const content = this.rules.creatorIsSender ? {} : { creator: '@alice:x' }
    let state = this.send(new Map(), { name: 'create', by: '@alice:x', type: 'm.room.create', stateKey: '', content })
    state = this.member(state, { name: 'alice', by: '@alice:x', membership: 'join' })
    state = this.levels(state, 'levels', '@alice:x', levels)
    state = this.set(state, {
      name: 'public',
      by: '@alice:x',
      type: 'm.room.join_rules',
      content: { join_rule: 'public' },
    })
    for (const user of users) state = this.member(state, { name: user.slice(1, -2), by: user, membership: 'join' })
    return state
  }

  /** A state event with the empty state key. */
  set(state: State, step: Step): State {
    return this.send(state, { stateKey: '', ...step })
  }

  levels(state: State, name: string, by: string, content: JsonObject): State {
    return this.set(state, { name, by, type: 'm.room.power_levels', content })
  }

  topic(state: State, name: string, by: string, more: Partial<Step> = {}): State {
    return this.set(state, { name, by, type: 'm.room.topic', content: { topic: name }, ...more })
  }

  member(
    state: State,
    step: { readonly name: string; readonly by: string; readonly of?: string; readonly membership: string },
  ): State {
    const { name, by, of = by, membership } = step
    return this.send(state, { name, by, type: 'm.room.member', stateKey: of, content: { membership } })
  }

  /** The state after the step. Unless forced, the step must be allowed where it happens. */
  send(state: State, step: Step): State {
    this.#now++
    const event = this.draft(state, step)
    const verdict = this.allows(event, state)
    assert.ok(step.isForced === true || verdict.ok, `${step.name}: ${verdict.ok ? '' : verdict.reason}`)
    this.events.set(event.eventId, event)
    return event.stateKey === undefined ? state : new Map(state).set(keyOf(event.type, event.stateKey), event.eventId)
  }

  /** The event that a step would send. */
  draft(state: State, step: Step): RoomEvent {
    const { name, by, isForced: _isForced, ...draft } = step
    const roomId = this.rules.roomIdIsCreateHash ? '!create' : '!room:x'
    // The creator's join is the one event that is judged by what it follows.
    const prevEvents = state.size === 0 ? [] : [state.size === 1 ? '$create' : '$before']
    const own = { eventId: `$${name}`, roomId, sender: by, prevEvents }
    const basis = { ...own, originServerTs: this.#now, depth: this.#now, ...draft }
    const keys = authEventKeys(roomEvent(basis), this.rules)
    const authEvents = keys.map(([type, stateKey]) => state.get(keyOf(type, stateKey))).filter((id) => id !== undefined)
    return roomEvent({ authEvents, ...basis })
  }

  allows(event: RoomEvent, state: State): Verdict {
    return this.judge(event, {
      create: this.events.get('$create'),
      get: (type, stateKey) => this.events.get(state.get(keyOf(type, stateKey)) ?? ''),
    })
  }

  judge(event: RoomEvent, state: Pick<StateForCheck, 'create' | 'get'>): Verdict {
    return authorize(event, state, this.rules)
  }

  /** A resolution in this room, with what a test wants to be otherwise. */
  context(more: Partial<ResolutionContext<string, string>> = {}): ResolutionContext<string, string> {
    return {
      rules: this.rules,
      event: (id) => this.events.get(id),
      authEvents: (id) => this.events.get(id)?.authEvents ?? [],
      keyOf,
      isAllowed: (event, state) => authorize(event, state, this.rules),
      isRejected: (id) => this.rejected.has(id),
      ...more,
    }
  }

  /** The resolved state, in the order of its keys. */
  resolve(states: readonly State[], more: Partial<ResolutionContext<string, string>> = {}): State {
    return sorted(resolve(states, this.context(more)).entries())
  }

  /** The name of the event that the resolution of states gives for a type and state key. */
  winner(states: readonly State[], type: string, stateKey = ''): string | undefined {
    return this.resolve(states).get(keyOf(type, stateKey))?.slice(1)
  }
}

/** The entries of a state in the order of its keys, so that states can be compared. */
export const sorted = <Value>(entries: Iterable<readonly [string, Value]>): ReadonlyMap<string, Value> =>
  new Map([...entries].sort(([x], [y]) => (x < y ? -1 : 1)))
