import { describe } from 'node:test'
import type { JsonObject } from '#util/json.ts'
import { LEVELS, type Row, stateOf, testRows, versionsFrom } from './auth-room.testing.ts'

const set = (content: object, sender = '@mod:x') => ({
  ...stateOf('m.room.power_levels', content as JsonObject),
  sender,
})
const current = (content: object) => [stateOf('m.room.power_levels', content as JsonObject)]
const noLevels = { without: ['m.room.power_levels'] }
// Without power levels the creator stands at 100.
const first = (content: object) => set(content, '@creator:x')

describe('the first power levels', () => {
  const row = (name: string, content: object, verdict: Row['verdict'], versions?: readonly string[]): Row => ({
    name,
    event: first(content),
    ...noLevels,
    verdict,
    ...(versions ? { versions } : {}),
  })
  testRows([
    row('may be anything, even above the sender', { users: { '@a:x': 1000 }, ban: 1000 }, 'allowed'),
    row('need no users', {}, 'allowed'),
    row(
      'name users by user IDs up to version 9',
      { users: { alice: 1 } },
      ({ levels }) => `${levels}.1`,
      versionsFrom(1, 9),
    ),
    row(
      'name users by user IDs from version 10',
      { users: { alice: 1 } },
      ({ levels }) => `${levels}.3`,
      versionsFrom(10),
    ),
    row('have users in an object up to version 9', { users: [] }, ({ levels }) => `${levels}.1`, versionsFrom(1, 9)),
    row('have users in an object from version 10', { users: [] }, ({ levels }) => `${levels}.3`, versionsFrom(10)),
    row(
      'may have text up to version 9',
      { users: { '@a:x': ' +050 ' }, ban: '50', events: { a: '1' } },
      'allowed',
      versionsFrom(1, 9),
    ),
    row(
      'may not have text for users from version 10',
      { users: { '@a:x': '50' } },
      ({ levels }) => `${levels}.3`,
      versionsFrom(10),
    ),
    row(
      'may not have text for a level from version 10',
      { ban: '50' },
      ({ levels }) => `${levels}.1`,
      versionsFrom(10),
    ),
    row(
      'may not have text for an event from version 10',
      { events: { a: '50' } },
      ({ levels }) => `${levels}.2`,
      versionsFrom(10),
    ),
    row(
      'may not have text for a notification from version 10',
      { notifications: { room: '50' } },
      ({ levels }) => `${levels}.2`,
      versionsFrom(10),
    ),
    row('have events in an object from version 10', { events: 1 }, ({ levels }) => `${levels}.2`, versionsFrom(10)),
    row('may have fractions up to version 5', { ban: 50.57 }, 'allowed', versionsFrom(1, 5)),
    row('may not have fractions from version 10', { ban: 50.57 }, ({ levels }) => `${levels}.1`, versionsFrom(10)),
    row('may list the creator up to version 11', { users: { '@creator:x': 100 } }, 'allowed', versionsFrom(1, 11)),
    row('may not list the creator in version 12', { users: { '@creator:x': 100 } }, ({ levels }) => `${levels}.4`, [
      '12',
    ]),
  ])
  testRows([
    {
      name: 'may not list an additional creator in version 12',
      event: first({ users: { '@second:x': 1 } }),
      ...noLevels,
      versions: ['12'],
      verdict: ({ levels }) => `${levels}.4`,
      state: [
        {
          type: 'm.room.create',
          stateKey: '',
          sender: '@creator:x',
          eventId: '$Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ',
          content: { additional_creators: ['@second:x'] },
        },
      ],
    },
  ])
})

const NAMED = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']
for (const name of NAMED) {
  // The state default says who may send power levels, so it is named for them.
  const base = { ...LEVELS, events: { 'm.room.power_levels': 50 } }
  const { [name]: _, ...bare } = base as Record<string, unknown>
  describe(`the level ${name}`, () => {
    testRows([
      {
        name: 'may be changed up to the own power',
        event: set({ ...base, [name]: 50 }),
        state: current({ ...base, [name]: 49 }),
        verdict: 'allowed',
      },
      {
        name: 'may be left above it',
        event: set({ ...base, [name]: 51 }),
        state: current({ ...base, [name]: 51 }),
        verdict: 'allowed',
      },
      { name: 'may be added', event: set({ ...base, [name]: 50 }), state: current(bare), verdict: 'allowed' },
      { name: 'may be removed', event: set(bare), state: current({ ...base, [name]: 50 }), verdict: 'allowed' },
      {
        name: 'may not be raised above the own power',
        event: set({ ...base, [name]: 51 }),
        state: current({ ...base, [name]: 49 }),
        verdict: ({ changes }) => `${changes[0]}.2`,
      },
      {
        name: 'may not be added above it',
        event: set({ ...base, [name]: 51 }),
        state: current(bare),
        verdict: ({ changes }) => `${changes[0]}.2`,
      },
      {
        name: 'may not be lowered from above it',
        event: set({ ...base, [name]: 0 }),
        state: current({ ...base, [name]: 51 }),
        verdict: ({ changes }) => `${changes[0]}.1`,
      },
      {
        name: 'may not be removed from above it',
        event: set(bare),
        state: current({ ...base, [name]: 51 }),
        verdict: ({ changes }) => `${changes[0]}.1`,
      },
    ])
  })
}

for (const property of ['events', 'notifications']) {
  const base = { ...LEVELS, state_default: 50 }
  const withLevel = (level: number | undefined) => ({ ...base, [property]: level === undefined ? {} : { x: level } })
  const versions = versionsFrom(property === 'events' ? 1 : 6)
  const rows: readonly (Pick<Row, 'name' | 'verdict'> & { from: number | undefined; to: number | undefined })[] = [
    { name: 'may be changed up to the own power', from: 49, to: 50, verdict: 'allowed' },
    { name: 'may be left above it', from: 51, to: 51, verdict: 'allowed' },
    { name: 'may be added', from: undefined, to: 50, verdict: 'allowed' },
    { name: 'may be removed', from: 50, to: undefined, verdict: 'allowed' },
    {
      name: 'may not be lowered from above the own power',
      from: 51,
      to: 50,
      verdict: ({ changes }) => `${changes[1]}.1`,
    },
    { name: 'may not be removed from above it', from: 51, to: undefined, verdict: ({ changes }) => `${changes[1]}.1` },
    { name: 'may not be raised above it', from: 50, to: 51, verdict: ({ changes }) => `${changes[2]}.1` },
    { name: 'may not be added above it', from: undefined, to: 51, verdict: ({ changes }) => `${changes[2]}.1` },
  ]
  describe(`a level of ${property}`, () => {
    testRows(
      rows.map(({ name, from, to, verdict }) => ({
        name,
        event: set(withLevel(to)),
        state: current(withLevel(from)),
        verdict,
        versions,
      })),
    )
  })
}

describe('of several changes', () => {
  // The sender may make neither; the rule that comes first on the page refuses.
  const row = (name: string, before: object, after: object, verdict: Row['verdict']): Row => ({
    name,
    event: set({ ...LEVELS, ...after }),
    state: current({ ...LEVELS, ...before }),
    verdict,
    versions: versionsFrom(6),
  })
  testRows([
    row(
      'named levels are judged before those of events',
      { ban: 51, events: { a: 51 } },
      { ban: 0, events: { a: 0 } },
      ({ changes }) => `${changes[0]}.1`,
    ),
    row(
      'old levels of events and notifications are judged before new ones',
      { events: { a: 0 }, notifications: { room: 51 } },
      { events: { a: 51 }, notifications: { room: 0 } },
      ({ changes }) => `${changes[1]}.1`,
    ),
    row(
      'new levels of events are judged before those of users',
      { events: {} },
      { events: { a: 51 }, users: {} },
      ({ changes }) => `${changes[2]}.1`,
    ),
    row(
      'old levels of users are judged before new ones',
      {},
      { users: { '@mod:x': 51, '@peer:x': 50 } },
      ({ changes }) => `${changes[3]}.1`,
    ),
  ])
})

describe('before version 6', () => {
  testRows([
    {
      name: 'notifications may be changed by anybody who may send power levels',
      event: set({ ...LEVELS, notifications: { room: 100 } }),
      versions: versionsFrom(1, 5),
      verdict: 'allowed',
    },
    {
      name: 'a level may change from text to number',
      event: set({ ...LEVELS, ban: 60 }),
      state: current({ ...LEVELS, ban: '60' }),
      versions: versionsFrom(1, 9),
      verdict: 'allowed',
    },
  ])
})

describe('the level of a user', () => {
  const withUsers = (users: object) => ({ ...LEVELS, users: { ...LEVELS.users, ...users } })
  const { '@mod:x': __, ...withoutMod } = LEVELS.users
  const { '@peer:x': ___, ...withoutPeer } = LEVELS.users
  testRows([
    { name: 'may be given up to the own power', event: set(withUsers({ '@new:x': 50 })), verdict: 'allowed' },
    {
      name: 'may be changed below the own power',
      event: set(withUsers({ '@low:x': 10 })),
      state: current(withUsers({ '@low:x': 49 })),
      verdict: 'allowed',
    },
    { name: 'of oneself may be lowered', event: set(withUsers({ '@mod:x': 0 })), verdict: 'allowed' },
    { name: 'of oneself may be removed', event: set({ ...LEVELS, users: withoutMod }), verdict: 'allowed' },
    {
      name: 'of others at the own power may not be lowered',
      event: set(withUsers({ '@peer:x': 0 })),
      verdict: ({ changes }) => `${changes[3]}.1`,
    },
    {
      name: 'of others at the own power may not be removed',
      event: set({ ...LEVELS, users: withoutPeer }),
      verdict: ({ changes }) => `${changes[3]}.1`,
    },
    {
      name: 'of others above may not be lowered',
      event: set(withUsers({ '@admin:x': 0 })),
      verdict: ({ changes }) => `${changes[3]}.1`,
    },
    {
      name: 'may not be given above the own power',
      event: set(withUsers({ '@new:x': 51 })),
      verdict: ({ changes }) => `${changes[4]}.1`,
    },
    {
      name: 'of oneself may not be raised',
      event: set(withUsers({ '@mod:x': 51 })),
      verdict: ({ changes }) => `${changes[4]}.1`,
    },
    {
      name: 'may be any for a creator',
      event: set(withUsers({ '@admin:x': 0, '@new:x': 1000 }), '@creator:x'),
      versions: ['12'],
      verdict: 'allowed',
    },
  ])
})

describe('power levels that cannot be read', () => {
  testRows([
    {
      name: 'let nobody send anything',
      event: set(LEVELS),
      state: current({ users: 1 }),
      verdict: () => 'power_levels',
    },
  ])
})
