import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson, anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import type { JsonObject } from '#util/json.ts'
import { redact } from './redact.ts'

const from = (first: number, last = 12) =>
  roomVersions.filter((version) => Number(version) >= first && Number(version) <= last)
const redacted = (pdu: JsonObject, version: string) => redact(pdu, rulesOf(version))

const everything: JsonObject = {
  event_id: '$e:x',
  type: 'm.room.message',
  room_id: '!r:x',
  sender: '@a:x',
  state_key: '',
  content: { body: 'x' },
  hashes: { sha256: 'x' },
  signatures: { x: {} },
  depth: 1,
  prev_events: [],
  prev_state: [],
  auth_events: [],
  origin: 'x',
  origin_server_ts: 1,
  membership: 'join',
  unsigned: { age: 1 },
  redacts: '$x:x',
  more: 1,
  __proto__x: 1,
}
const KEPT = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
]

test('up to version 10 origin, membership and prev_state are kept at the top', () => {
  for (const version of from(1, 10)) {
    assert.deepEqual(
      Object.keys(redacted(everything, version)).toSorted(),
      [...KEPT, 'prev_state', 'origin', 'membership'].toSorted(),
    )
  }
})

test('from version 11 they are not', () => {
  for (const version of from(11))
    assert.deepEqual(Object.keys(redacted(everything, version)).toSorted(), KEPT.toSorted())
})

test('the content of other types is emptied', () => {
  for (const version of roomVersions) assert.deepEqual(redacted(everything, version)['content'], {})
})

type Row = { name: string; type: string; content: JsonObject; kept: JsonObject; versions: readonly string[] }
const levels = {
  ban: 1,
  events: {},
  events_default: 1,
  kick: 1,
  redact: 1,
  state_default: 1,
  users: {},
  users_default: 1,
}
const signed = { mxid: '@a:x', token: 't', signatures: {} }
const rows: readonly Row[] = [
  {
    name: 'a member keeps the membership',
    type: 'm.room.member',
    content: { membership: 'join', displayname: 'A' },
    kept: { membership: 'join' },
    versions: roomVersions,
  },
  {
    name: 'a member loses its authoriser',
    type: 'm.room.member',
    content: { membership: 'join', join_authorised_via_users_server: '@a:x' },
    kept: { membership: 'join' },
    versions: from(1, 8),
  },
  {
    name: 'a member keeps its authoriser',
    type: 'm.room.member',
    content: { join_authorised_via_users_server: '@a:x' },
    kept: { join_authorised_via_users_server: '@a:x' },
    versions: from(9),
  },
  {
    name: 'a member loses the third-party invite',
    type: 'm.room.member',
    content: { third_party_invite: { signed } },
    kept: {},
    versions: from(1, 10),
  },
  {
    name: 'of a third-party invite a member keeps what was signed',
    type: 'm.room.member',
    content: { third_party_invite: { display_name: 'A', signed } },
    kept: { third_party_invite: { signed } },
    versions: from(11),
  },
  {
    name: 'a third-party invite without what was signed is emptied',
    type: 'm.room.member',
    content: { third_party_invite: { display_name: 'A' } },
    kept: { third_party_invite: {} },
    versions: from(11),
  },
  {
    name: 'a third-party invite that is no object is lost',
    type: 'm.room.member',
    content: { third_party_invite: 'signed' },
    kept: {},
    versions: from(11),
  },
  {
    name: 'a create event keeps the creator',
    type: 'm.room.create',
    content: { creator: '@a:x', 'm.federate': false },
    kept: { creator: '@a:x' },
    versions: from(1, 10),
  },
  {
    name: 'a create event keeps everything',
    type: 'm.room.create',
    content: { creator: '@a:x', x: { y: 1 } },
    kept: { creator: '@a:x', x: { y: 1 } },
    versions: from(11),
  },
  {
    name: 'join rules keep the join rule',
    type: 'm.room.join_rules',
    content: { join_rule: 'public', allow: [] },
    kept: { join_rule: 'public' },
    versions: from(1, 7),
  },
  {
    name: 'join rules keep whom they allow',
    type: 'm.room.join_rules',
    content: { join_rule: 'restricted', allow: [1], x: 1 },
    kept: { join_rule: 'restricted', allow: [1] },
    versions: from(8),
  },
  {
    name: 'power levels lose invite and notifications',
    type: 'm.room.power_levels',
    content: { ...levels, invite: 1, notifications: {} },
    kept: levels,
    versions: from(1, 10),
  },
  {
    name: 'power levels keep invite',
    type: 'm.room.power_levels',
    content: { ...levels, invite: 1, notifications: {} },
    kept: { ...levels, invite: 1 },
    versions: from(11),
  },
  {
    name: 'aliases keep the aliases',
    type: 'm.room.aliases',
    content: { aliases: ['#a:x'], x: 1 },
    kept: { aliases: ['#a:x'] },
    versions: from(1, 5),
  },
  {
    name: 'aliases lose the aliases',
    type: 'm.room.aliases',
    content: { aliases: ['#a:x'] },
    kept: {},
    versions: from(6),
  },
  {
    name: 'history visibility is kept',
    type: 'm.room.history_visibility',
    content: { history_visibility: 'shared', x: 1 },
    kept: { history_visibility: 'shared' },
    versions: roomVersions,
  },
  {
    name: 'a redaction loses what it redacts',
    type: 'm.room.redaction',
    content: { redacts: '$x', reason: 'x' },
    kept: {},
    versions: from(1, 10),
  },
  {
    name: 'a redaction keeps what it redacts',
    type: 'm.room.redaction',
    content: { redacts: '$x', reason: 'x' },
    kept: { redacts: '$x' },
    versions: from(11),
  },
]
for (const { name, type, content, kept, versions } of rows) {
  test(`${name} in versions ${versions.at(0)} to ${versions.at(-1)}`, () => {
    for (const version of versions)
      assert.deepEqual(redacted({ type, content }, version), { type, content: kept }, version)
  })
}

test('redacting twice is redacting once, and leaves the event alone', () => {
  const type = fc.constantFrom('m.room.member', 'm.room.create', 'm.room.power_levels', '__proto__', 'toString', 1)
  fc.assert(
    fc.property(anyJsonObject, type, anyJson, fc.constantFrom(...roomVersions), (object, type, content, version) => {
      const pdu = { ...object, type, content }
      const before = JSON.stringify(pdu)
      const once = redacted(pdu, version)
      assert.deepEqual(redacted(once, version), once)
      assert.equal(JSON.stringify(pdu), before)
    }),
  )
})
