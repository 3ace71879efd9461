import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventDraft, roomEvent, rulesOf } from '#protocol/event-builder.testing.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import type { JsonObject } from '#util/json.ts'
import type { AuthState } from './auth-state.ts'
import { authorize } from './authorize.ts'

/** The numbers of rules as the page of a room version prints them. */
export type Page = {
  readonly auth: string
  readonly federate: string
  readonly member: string
  readonly join: string
  readonly joinElse: string
  readonly invite: string
  readonly leave: string
  readonly ban: string
  readonly knock: string
  readonly unknown: string
  readonly sender: string
  readonly thirdParty: string
  readonly power: string
  readonly userKey: string
  readonly levels: string
  /** Changes of named levels, of old and of new levels of events, of old and of new levels of users. */
  readonly changes: readonly [named: string, oldEvent: string, newEvent: string, oldUser: string, newUser: string]
}

const V1: Page = {
  auth: '2',
  federate: '3',
  member: '5',
  join: '5.2',
  joinElse: '5.2.6',
  invite: '5.3',
  leave: '5.4',
  ban: '5.5',
  knock: '-',
  unknown: '5.6',
  sender: '6',
  thirdParty: '7',
  power: '8',
  userKey: '9',
  levels: '10',
  changes: ['10.3', '10.4', '10.5', '10.6', '10.7'],
}
const V6: Page = {
  auth: '2',
  federate: '3',
  member: '4',
  join: '4.2',
  joinElse: '4.2.6',
  invite: '4.3',
  leave: '4.4',
  ban: '4.5',
  knock: '-',
  unknown: '4.6',
  sender: '5',
  thirdParty: '6',
  power: '7',
  userKey: '8',
  levels: '9',
  changes: ['9.3', '9.4', '9.5', '9.6', '9.7'],
}
const V7: Page = { ...V6, knock: '4.6', unknown: '4.7' }
const V8: Page = {
  ...V7,
  join: '4.3',
  joinElse: '4.3.7',
  invite: '4.4',
  leave: '4.5',
  ban: '4.6',
  knock: '4.7',
  unknown: '4.8',
}
const V10: Page = { ...V8, changes: ['9.5', '9.6', '9.7', '9.8', '9.9'] }
const V12: Page = {
  auth: '3',
  federate: '4',
  member: '5',
  join: '5.3',
  joinElse: '5.3.7',
  invite: '5.4',
  leave: '5.5',
  ban: '5.6',
  knock: '5.7',
  unknown: '5.8',
  sender: '6',
  thirdParty: '7',
  power: '8',
  userKey: '9',
  levels: '10',
  changes: ['10.6', '10.7', '10.8', '10.9', '10.10'],
}
const pages: Readonly<Record<string, Page>> = {
  1: V1,
  2: V1,
  3: V1,
  4: V1,
  5: V1,
  6: V6,
  7: V7,
  8: V8,
  9: V8,
  10: V10,
  11: V10,
  12: V12,
}

/** The page of a room version. */
export const pageOf = (version: string): Page => pages[version] ?? assert.fail(version)

/** The room versions from `first` to `last`. */
export const versionsFrom = (first: number, last = 12): readonly string[] =>
  roomVersions.filter((version) => Number(version) >= first && Number(version) <= last)

const HASH = 'Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ'
/** The ID of the create event of the room for tests. */
export const createIdOf = (version: string): string => (version === '12' ? `$${HASH}` : '$create:x')
/** The ID of the room for tests. */
export const roomOf = (version: string): string => (version === '12' ? `!${HASH}` : '!room:x')

/** An event in the room for tests; in version 12 a create event has no room ID on the wire. */
export function inRoom(version: string, draft: EventDraft): RoomEvent {
  const event = roomEvent({ roomId: roomOf(version), prevEvents: ['$prev:x'], ...draft })
  if (version !== '12' || draft.type !== 'm.room.create') return event
  const { room_id: _, ...pdu } = event.pdu
  return { ...event, pdu }
}

/** A membership event. */
export const membership = (user: string, membership: unknown, more: EventDraft = {}): EventDraft => ({
  type: 'm.room.member',
  sender: user,
  stateKey: user,
  ...more,
  content: { membership, ...more.content } as JsonObject,
})

/** State of any type. */
export const stateOf = (type: string, content: JsonObject, stateKey = ''): EventDraft => ({
  type,
  stateKey,
  content,
  sender: '@admin:x',
})

/** The levels of the room for tests: `@admin:x` 100, `@mod:x` 50, `@peer:x` 50, all others nothing. */
export const LEVELS = { users: { '@admin:x': 100, '@mod:x': 50, '@peer:x': 50 }, invite: 25 }

const usual = (version: string): readonly EventDraft[] => [
  {
    type: 'm.room.create',
    stateKey: '',
    sender: '@creator:x',
    eventId: createIdOf(version),
    prevEvents: [],
    content: { room_version: version, ...(Number(version) < 11 ? { creator: '@creator:x' } : {}) },
  },
  ...['@creator:x', '@admin:x', '@mod:x', '@peer:x', '@alice:x', '@bob:y'].map((user) => membership(user, 'join')),
  membership('@banned:x', 'ban'),
  membership('@invited:x', 'invite'),
  membership('@left:x', 'leave'),
  membership('@knocker:x', 'knock'),
  stateOf('m.room.power_levels', LEVELS),
  stateOf('m.room.join_rules', { join_rule: 'invite' }),
]

/** What differs from the usual state: `without` takes events away by type, `state` adds or replaces some. */
export type Change = { readonly state?: readonly EventDraft[]; readonly without?: readonly string[] }

/** The state of the room for tests. */
export function roomState(version: string, { state = [], without = [] }: Change = {}): AuthState {
  const events = new Map<string, RoomEvent>()
  for (const draft of [...usual(version), ...state]) {
    const event = inRoom(version, draft)
    if (!without.includes(event.type)) events.set(JSON.stringify([event.type, event.stateKey]), event)
  }
  const get = (type: string, stateKey: string) => events.get(JSON.stringify([type, stateKey]))
  return { create: get('m.room.create', ''), get }
}

/** One thing the rules say: an event by a state is allowed, or refused by a rule. */
export type Row = Change & {
  readonly name: string
  readonly event: EventDraft | ((version: string) => EventDraft)
  /** `allowed`, or the number of the rule. */
  readonly verdict: 'allowed' | ((page: Page) => string)
  readonly versions?: readonly string[]
}

/** Makes a test of every row for each of its versions. */
export function testRows(rows: readonly Row[]): void {
  for (const { name, event, verdict, versions = roomVersions, ...change } of rows) {
    test(`${name} (versions ${versions.join(' ')})`, () => {
      for (const version of versions) {
        const draft = typeof event === 'function' ? event(version) : event
        const found = authorize(inRoom(version, draft), roomState(version, change), rulesOf(version))
        const expected = verdict === 'allowed' ? 'allowed' : verdict(pageOf(version))
        assert.equal(found.ok ? 'allowed' : found.rule, expected, `version ${version}`)
      }
    })
  }
}
