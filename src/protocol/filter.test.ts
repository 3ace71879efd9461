import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '#util/json.ts'
import { anyJson, anyJsonObject } from './event-builder.testing.ts'
import {
  everything,
  filterToJson,
  limitOf,
  MAX_FILTER_ENTRIES,
  parseFilter,
  parseRoomEventFilter,
  type RoomEventFilter,
} from './filter.ts'
import {
  compileFields,
  compileRooms,
  type FilterableEvent,
  type IncomingRelation,
  matchesEvent,
  needsRelations,
  wantsNothing,
} from './filter-match.ts'

describe('a filter', () => {
  test('an empty filter wants everything', () => assert.deepEqual(parseFilter({}), everything))
  test('everything it can say is read', () => {
    const json: JsonObject = {
      event_fields: ['type', 'content'],
      event_format: 'federation',
      presence: { types: ['m.presence'], not_senders: ['@spam:x'] },
      account_data: { limit: 3 },
      room: {
        rooms: ['!a:x'],
        not_rooms: ['!b:x'],
        include_leave: true,
        state: { lazy_load_members: true, include_redundant_members: true },
        timeline: { limit: 10, contains_url: false, unread_thread_notifications: true, related_by_senders: ['@a:x'] },
        ephemeral: { not_types: ['*'] },
        account_data: { related_by_rel_types: ['m.thread'] },
      },
    }
    const filter = parseFilter(json)
    assert.ok(!('ok' in filter))
    assert.deepEqual(filter.room.timeline, {
      limit: 10,
      containsUrl: false,
      unreadThreadNotifications: true,
      relatedBySenders: ['@a:x'],
    })
    assert.equal(filter.eventFormat, 'federation')
    assert.deepEqual(JSON.parse(JSON.stringify(filterToJson(filter))), json)
  })
  test('what a filter does not say is not written', () => {
    const written = { event_format: 'client', presence: {}, account_data: {} }
    assert.deepEqual(filterToJson(everything), {
      ...written,
      room: { ephemeral: {}, state: {}, timeline: {}, account_data: {} },
    })
  })
  test('fields that are not known are ignored', () => {
    assert.deepEqual(parseFilter({ more: 1, ok: true, room: { more: 1, timeline: { more: [] } } }), everything)
  })
  const refusals: readonly (readonly [string, Json, RegExp])[] = [
    ['a list is no filter', [], /filter must be an object/],
    ['text is no presence filter', { presence: 'x' }, /presence must be an object/],
    ['null is no room filter', { room: null }, /room must be an object/],
    ['text is no timeline filter', { room: { timeline: 'x' } }, /room.timeline must be an object/],
    ['text is no list of rooms', { room: { rooms: '!a:x' } }, /rooms must be a list of room IDs/],
    ['a name is no room ID', { room: { state: { rooms: ['a'] } } }, /room.state: rooms must be a list of room IDs/],
    ['a name is no user ID', { presence: { senders: ['a'] } }, /senders must be a list of user IDs/],
    ['a number is no type', { account_data: { types: [1] } }, /types must be a list of texts/],
    ['text is no limit', { presence: { limit: '5' } }, /limit must be an integer/],
    ['a fraction is no limit', { presence: { limit: 1.5 } }, /limit must be an integer/],
    ['a limit is not negative', { presence: { limit: -1 } }, /limit must be an integer/],
    ['an unknown format is refused', { event_format: 'xml' }, /event_format must be client or federation/],
    ['a flag is true or false', { room: { include_leave: 1 } }, /include_leave must be true or false/],
    ['a list has an end', { event_fields: Array(MAX_FILTER_ENTRIES + 1).fill('a') }, /event_fields/],
    ['a text has an end', { event_fields: ['a'.repeat(2000)] }, /event_fields/],
  ]
  for (const [name, json, reason] of refusals) {
    test(name, () => {
      const filter = parseFilter(json)
      assert.match('ok' in filter ? filter.reason : '', reason)
    })
  }
  test('a filter of one room is read by itself', () => {
    assert.deepEqual(parseRoomEventFilter({ lazy_load_members: true }), { lazyLoadMembers: true })
    assert.ok('ok' in parseRoomEventFilter('x'))
  })
  test('a filter survives the way to JSON and back', () => {
    const event = fc.record(
      {
        limit: fc.nat(),
        types: fc.array(fc.string()),
        not_types: fc.array(fc.string()),
        senders: fc.array(fc.string().map((name) => `@${name}`)),
        rooms: fc.array(fc.string().map((name) => `!${name}`)),
        contains_url: fc.boolean(),
        lazy_load_members: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    const room = fc.record({ include_leave: fc.boolean(), state: event, timeline: event }, { requiredKeys: [] })
    const json = fc.record(
      { event_fields: fc.array(fc.string()), presence: event, account_data: event, room },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(json, (written) => {
        const filter = parseFilter(JSON.parse(JSON.stringify(written)))
        assert.ok(!('ok' in filter))
        assert.deepEqual(parseFilter(JSON.parse(JSON.stringify(filterToJson(filter)))), filter)
      }),
    )
  })
  test('no JSON makes parsing throw', () => {
    fc.assert(
      fc.property(anyJson, anyJsonObject, (json, event) => {
        parseFilter(json)
        parseFilter({ room: json, presence: json })
        parseFilter({ event_fields: json, room: { timeline: json, rooms: json } })
        const filter = parseRoomEventFilter(json)
        if (!('ok' in filter)) matchesEvent(filter, { type: 'x', content: event })
      }),
    )
  })
  test('a limit is held within the bounds of the endpoint', () => {
    const bounds = { fallback: 10, max: 100 }
    assert.equal(limitOf({}, bounds), 10)
    assert.equal(limitOf({ limit: 50 }, bounds), 50)
    assert.equal(limitOf({ limit: 5000 }, bounds), 100)
    assert.equal(limitOf({ limit: 0 }, bounds), 0)
  })
})

describe('an event passes', () => {
  const event: FilterableEvent = {
    type: 'm.room.message',
    sender: '@a:x',
    roomId: '!r:x',
    content: { body: 'x', url: 'mxc://x/y' },
  }
  const { sender: _sender, ...nobodys } = event
  const cases: readonly (readonly [string, RoomEventFilter, FilterableEvent, boolean])[] = [
    ['an empty filter', {}, event, true],
    ['a list with its type', { types: ['m.room.message'] }, event, true],
    ['no list without its type', { types: ['m.room.name'] }, event, false],
    ['no empty list', { types: [] }, event, false],
    ['a wildcard for its type', { types: ['m.*.message'] }, event, true],
    ['no wildcard that needs more', { types: ['m.room.message.*'] }, event, false],
    ['a question mark in a type is itself', { types: ['m.room.messag?'] }, event, false],
    ['no excluded wildcard, even where included', { types: ['m.room.message'], notTypes: ['m.*'] }, event, false],
    ['a list with its sender', { senders: ['@a:x'] }, event, true],
    ['no list without its sender', { senders: ['@b:x'] }, event, false],
    ['no exclusion of its sender', { notSenders: ['@a:x'] }, event, false],
    ['an exclusion of others', { notSenders: ['@b:x'], notRooms: ['!o:x'], notTypes: ['x'] }, event, true],
    ['no exclusion of its type', { notTypes: ['m.room.message'] }, event, false],
    ['no exclusion of its sender, even where included', { senders: ['@a:x'], notSenders: ['@a:x'] }, event, false],
    ['without a sender no list of senders', { senders: ['@a:x'] }, nobodys, false],
    ['without a sender an exclusion of senders', { notSenders: ['@a:x'] }, nobodys, true],
    ['a list with its room', { rooms: ['!r:x'] }, event, true],
    ['no list without its room', { rooms: ['!o:x'] }, event, false],
    ['no exclusion of its room', { notRooms: ['!r:x'] }, event, false],
    ['no exclusion of its room, even where included', { rooms: ['!r:x'], notRooms: ['!r:x'] }, event, false],
    ['without a room any list of rooms', { rooms: ['!r:x'] }, { type: 'm.tag' }, true],
    ['with a url one that wants it', { containsUrl: true }, event, true],
    ['with a url none that does not want it', { containsUrl: false }, event, false],
    ['without a url none that wants it', { containsUrl: true }, { type: 'x', content: {} }, false],
    ['flags change nothing', { lazyLoadMembers: true, unreadThreadNotifications: true }, event, true],
  ]
  for (const [name, filter, each, expected] of cases) {
    test(name, () => assert.equal(matchesEvent(filter, each), expected))
  }
  test('where one relation fulfils everything asked of relations', () => {
    const filter: RoomEventFilter = { relatedByRelTypes: ['m.thread'], relatedBySenders: ['@b:x'] }
    const thread: IncomingRelation = { relType: 'm.thread', sender: '@b:x' }
    assert.equal(needsRelations(filter), true)
    assert.equal(needsRelations({}), false)
    assert.equal(matchesEvent(filter, event, [thread]), true)
    assert.equal(
      matchesEvent(filter, event, [
        { ...thread, sender: '@c:x' },
        { ...thread, relType: 'x' },
      ]),
      false,
    )
    assert.equal(matchesEvent(filter, event), false)
    assert.equal(matchesEvent({ relatedBySenders: ['@b:x'] }, event, [{ ...thread, relType: 'x' }]), true)
    assert.equal(matchesEvent({ relatedByRelTypes: ['m.thread'] }, event, [{ ...thread, sender: '@c:x' }]), true)
    assert.equal(matchesEvent({ relatedByRelTypes: ['m.thread'] }, event, [{ ...thread, relType: 'x' }]), false)
  })
})

describe('rooms and fields', () => {
  test('a room is wanted unless excluded or not listed', () => {
    const wants = compileRooms({ ...everything.room, rooms: ['!a:x', '!b:x'], notRooms: ['!b:x'] })
    assert.deepEqual(['!a:x', '!b:x', '!c:x'].map(wants), [true, false, false])
    assert.equal(compileRooms(everything.room)('!c:x'), true)
  })
  test('what wants nothing is known without reading', () => {
    assert.equal(wantsNothing({ types: [] }), true)
    assert.equal(wantsNothing({ rooms: [] }), true)
    assert.equal(wantsNothing({ limit: 0 }), true)
    assert.equal(wantsNothing({ notTypes: [] }), false)
  })
  const event: JsonObject = {
    type: 'm.room.message',
    event_id: '$e',
    content: { body: 'x', 'm.relates_to': { event_id: '$o', rel_type: 'r' }, list: [{ a: 1 }] },
  }
  const cases: readonly (readonly [string, readonly string[] | undefined, JsonObject])[] = [
    ['without fields the event passes whole', undefined, event],
    ['no fields leave nothing', [], {}],
    ['fields are kept with all below', ['type', 'content'], { type: event.type ?? '', content: event.content ?? {} }],
    ['a path keeps what it leads to', ['content.body'], { content: { body: 'x' } }],
    [
      'an escaped path is followed',
      ['content.m\\.relates_to.rel_type'],
      { content: { 'm.relates_to': { rel_type: 'r' } } },
    ],
    ['the shorter path wins', ['content.body', 'content', 'content.list'], { content: event.content ?? {} }],
    ['paths add up', ['content.body', 'content.list'], { content: { body: 'x', list: [{ a: 1 }] } }],
    ['what is absent is left out', ['content.none', 'none', 'type.none'], {}],
    ['lists have no fields', ['content.list.0'], {}],
    ['names of every object are absent', ['constructor', 'content.toString'], {}],
  ]
  for (const [name, fields, expected] of cases) {
    test(name, () => assert.deepEqual(compileFields(fields)(event), expected))
  }
  test('no fields and no event make it throw', () => {
    fc.assert(fc.property(fc.array(fc.string()), anyJsonObject, (fields, any) => void compileFields(fields)(any)))
  })
})
