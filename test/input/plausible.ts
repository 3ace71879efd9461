import * as fc from 'fast-check'
import * as z from 'zod'
import { Entries, type Tree, treeOf } from './nasty.ts'

// What a client might send, by the endpoint's schema. `<<name>>` stands for what the name is in the world of the test.

/** What a schema of zod looks like as JSON Schema, as far as it is used here. */
type Schema = {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
}

/** A schema's outside: what it takes. */
export const schemaOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema

const USERS = ['<<user>>', '<<user>>', '<<other>>', '@nobody:process.example', '@a:elsewhere.example']
const EVENTS = ['<<event>>', '<<event>>', '<<state>>', '$nothing', '$old:process.example']
const ROOMS = ['<<room>>', '<<room>>', '<<room>>', '<<room>>', '!none:process.example', '<<otherRoom>>']
const TOKENS = ['<<token>>', '<<token>>', '<<token>>', 's0', '']
const EVENT_TYPES = [
  'm.room.message',
  'm.room.name',
  'm.room.topic',
  'm.room.member',
  'm.room.redaction',
  'm.room.create',
  'm.room.power_levels',
  'm.room.canonical_alias',
  'm.room.history_visibility',
  'm.room.encryption',
  'm.room.tombstone',
  'm.space.child',
  'm.reaction',
  'org.example.any',
]
const FILTERS = [
  '0',
  '<<filter>>',
  '{}',
  '{"room":{"timeline":{"limit":3,"types":["m.*"]},"state":{"lazy_load_members":true}}}',
  '{"types":["m.room.message"],"limit":2,"lazy_load_members":true}',
  '{"event_fields":["content.body","type"],"room":{"rooms":[],"include_leave":true}}',
  '{"event_format":"federation"}',
]

/** Plausible text by the name of its field. */
const BY_NAME: Readonly<Record<string, readonly string[]>> = {
  roomId: ROOMS,
  room_id: ROOMS,
  roomIdOrAlias: [...ROOMS, '<<alias>>', '#none:process.example'],
  roomAlias: ['<<alias>>', '#new:process.example', '#none:process.example'],
  userId: USERS,
  user_id: USERS,
  mxid: USERS,
  sender: USERS,
  user: [...USERS, '<<name>>'],
  username: ['<<name>>', 'free', 'FREE'],
  invite: ['<<other>>'],
  password: ['<<password>>', 'wrong'],
  new_password: ['<<password>>'],
  eventId: EVENTS,
  'm.fully_read': EVENTS,
  'm.read': EVENTS,
  'm.read.private': EVENTS,
  thread_id: ['main', ...EVENTS],
  eventType: EVENT_TYPES,
  stateKey: ['', '', '<<user>>', '<<other>>', 'key'],
  state_key: ['', '<<user>>'],
  receiptType: ['m.read', 'm.read.private', 'm.fully_read'],
  keyName: ['displayname', 'avatar_url', 'm.tz', 'org.example.field'],
  tag: ['m.favourite', 'u.work'],
  deviceId: ['<<device>>', 'OTHER'],
  device_id: ['<<device>>', 'OTHER'],
  devices: ['<<device>>', 'OTHER'],
  filterId: ['<<filter>>', '0', '99'],
  filter: FILTERS,
  since: TOKENS,
  from: TOKENS,
  to: TOKENS,
  at: TOKENS,
  // Never long, and never nonsense that is taken for long: a request that waits is no request that hangs.
  timeout: ['0', '5'],
  limit: ['0', '1', '3', '1000'],
  timeout_ms: ['0', '5'],
  serverName: ['process.example', 'elsewhere.example'],
  mediaId: ['<<media>>', 'none'],
  fileName: ['picture.png', 'a b.txt'],
  filename: ['picture.png', 'a b.txt'],
  txnId: ['<<txn>>', '<<txn>>', 'same'],
  version: ['1', '2', '12', '99'],
  room_version: ['1', '6', '11', '12', '99'],
  session: ['none'],
  type: ['m.login.password', 'm.login.dummy', 'm.id.user', 'm.push_rules', 'm.ignored_user_list', ...EVENT_TYPES],
  algorithm: ['m.megolm_backup.v1.curve25519-aes-sha2'],
  sessionId: ['session'],
  refresh_token: ['<<refresh>>', 'none'],
  guest_access_token: ['none'],
  nonce: ['none'],
  mac: ['00'],
  room_alias_name: ['<<txn>>', 'taken'],
}

const CONTENTS: readonly unknown[] = [
  {},
  { msgtype: 'm.text', body: 'hello' },
  { body: 'x', 'm.relates_to': { rel_type: 'm.thread', event_id: '<<event>>' } },
  { 'm.relates_to': { rel_type: 'm.annotation', event_id: '<<event>>', key: '👍' } },
  { membership: 'join', displayname: 'Name' },
  { membership: 'invite' },
  { membership: 'ban', reason: 'because' },
  { users: { '<<user>>': 100 }, events: { 'm.room.name': 50 }, users_default: 0, state_default: 50 },
  { name: 'Name', topic: 'Topic', 'm.topic': { 'm.text': [{ body: 'Topic' }] } },
  { history_visibility: 'shared', join_rule: 'public', guest_access: 'can_join' },
  { alias: '<<alias>>', alt_aliases: [] },
  { ignored_users: { '<<other>>': {} } },
  { displayname: 'Name', avatar_url: 'mxc://process.example/a', 'm.tz': 'Europe/Berlin', 'org.example.field': [1] },
  { redacts: '<<event>>', reason: 'because' },
  { order: 0.5 },
  { room: { timeline: { limit: 3 } }, event_fields: ['type'] },
  { replacement_room: '<<room>>', body: 'gone' },
]

/** Plausible text for a field of that name. */
export const plausibleText = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(...(Object.hasOwn(BY_NAME, name) ? (BY_NAME[name] ?? []) : ['text', 'other']))

/** A plausible value by a schema. */
export const plausible = (schema: Schema, name = ''): fc.Arbitrary<Tree> => {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum.map(treeOf))
  if (schema.const !== undefined) return fc.constant(treeOf(schema.const))
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => plausible(one, name)))
  if (Array.isArray(schema.type)) {
    return fc.oneof(...(schema.type as readonly string[]).map((type) => plausible({ ...schema, type }, name)))
  }
  switch (schema.type) {
    case 'string':
      return plausibleText(name)
    case 'integer':
    case 'number':
      return fc.constantFrom(0, 1, 5)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(plausible(schema.items ?? {}, name), { maxLength: 3 })
    case 'object':
      return plausibleObject(schema, name)
    default:
      return fc.constantFrom(...CONTENTS).map(treeOf)
  }
}

function plausibleObject(schema: Schema, name: string): fc.Arbitrary<Tree> {
  const properties = Object.entries(schema.properties ?? {})
  const more = schema.additionalProperties
  if (properties.length === 0 && typeof more === 'object' && Object.keys(more).length > 0) {
    const key = fc.constantFrom(
      ...USERS,
      '<<device>>',
      '<<room>>',
      'signed_curve25519:AAAA',
      'ed25519:<<device>>',
      'any',
    )
    return fc.array(fc.tuple(key, plausible(more, name)), { maxLength: 3 }).map((list) => new Entries(list))
  }
  const entries = properties.map(([key, property]) => {
    const value = plausible(property, key).map((tree): [string, Tree][] => [[key, tree]])
    return schema.required?.includes(key) ? value : fc.oneof(value, fc.constant<[string, Tree][]>([]))
  })
  return fc.tuple(...entries).map((lists) => new Entries(lists.flat()))
}
