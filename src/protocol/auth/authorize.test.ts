import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EventDraft, rulesOf } from '#protocol/event-builder.testing.ts'
import { readPowerLevels } from '#protocol/power-levels.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { inRoom, membership, roomState, stateOf, testRows, versionsFrom } from './auth-room.testing.ts'
import { authorize } from './authorize.ts'

const message = (sender: string, more: EventDraft = {}): EventDraft => ({ sender, ...more })
const state = (content: object) => [stateOf('m.room.power_levels', content as never)]

describe('aliases', () => {
  const aliases = (sender: string, stateKey: string | undefined): EventDraft => ({
    type: 'm.room.aliases',
    sender,
    stateKey,
  })
  testRows([
    {
      name: 'are allowed to servers for themselves, up to version 5',
      event: aliases('@stranger:z', 'z'),
      versions: versionsFrom(1, 5),
      verdict: 'allowed',
    },
    {
      name: 'have a state key',
      event: aliases('@alice:x', undefined),
      versions: versionsFrom(1, 5),
      verdict: () => '4.1',
    },
    {
      name: 'of other servers are refused',
      event: aliases('@admin:x', 'z'),
      versions: versionsFrom(1, 5),
      verdict: () => '4.2',
    },
    {
      name: 'are state like any other from version 6',
      event: aliases('@stranger:z', 'z'),
      versions: versionsFrom(6),
      verdict: ({ sender }) => sender,
    },
    {
      name: 'take power from version 6',
      event: aliases('@alice:x', 'x'),
      versions: versionsFrom(6),
      verdict: ({ power }) => power,
    },
    {
      name: 'are allowed with power from version 6',
      event: aliases('@admin:x', 'z'),
      versions: versionsFrom(6),
      verdict: 'allowed',
    },
  ])
})

describe('a message', () => {
  testRows([
    { name: 'is allowed to a member', event: message('@alice:x'), verdict: 'allowed' },
    ...['@stranger:z', '@left:x', '@invited:x', '@banned:x', '@knocker:x'].map((user) => ({
      name: `is refused to ${user}`,
      event: message(user),
      verdict: ({ sender }: { sender: string }) => sender,
    })),
    {
      name: 'takes the level for events',
      event: message('@alice:x'),
      state: state({ events_default: 1 }),
      verdict: ({ power }) => power,
    },
    {
      name: 'takes the level for its type',
      event: message('@mod:x', { type: 'a' }),
      state: state({ users: { '@mod:x': 50 }, events: { a: 51 } }),
      verdict: ({ power }) => power,
    },
    {
      name: 'takes no more than the level for its type',
      event: message('@mod:x', { type: 'a' }),
      state: state({ users: { '@mod:x': 50 }, events: { a: 50 }, events_default: 100 }),
      verdict: 'allowed',
    },
    {
      name: 'takes no power without power levels',
      event: message('@alice:x'),
      without: ['m.room.power_levels'],
      verdict: 'allowed',
    },
    {
      name: 'by levels that cannot be read is refused',
      event: message('@alice:x'),
      state: state({ users: [] }),
      verdict: () => 'power_levels',
    },
  ])
})

describe('state', () => {
  const topic = (sender: string, stateKey = '') => ({ ...stateOf('m.room.topic', {}, stateKey), sender })
  testRows([
    { name: 'is allowed with the power', event: topic('@mod:x'), verdict: 'allowed' },
    { name: 'is refused without', event: topic('@alice:x'), verdict: ({ power }) => power },
    {
      name: 'takes 50 without power levels',
      event: topic('@alice:x'),
      without: ['m.room.power_levels'],
      verdict: ({ power }) => power,
    },
    {
      name: 'is allowed to the creator without power levels',
      event: topic('@creator:x'),
      without: ['m.room.power_levels'],
      verdict: 'allowed',
    },
    {
      name: 'is allowed to a creator by any levels in version 12',
      event: topic('@creator:x'),
      state: state({ state_default: 1000 }),
      versions: ['12'],
      verdict: 'allowed',
    },
    { name: 'under the own user ID is allowed', event: topic('@mod:x', '@mod:x'), verdict: 'allowed' },
    {
      name: 'under the ID of another user is refused',
      event: topic('@admin:x', '@mod:x'),
      verdict: ({ userKey }) => userKey,
    },
    {
      name: 'under what begins like a user ID is refused',
      event: topic('@admin:x', '@'),
      verdict: ({ userKey }) => userKey,
    },
  ])
})

describe('a third-party invite', () => {
  const invite = (sender: string) => ({ ...stateOf('m.room.third_party_invite', {}, 'token'), sender })
  testRows([
    {
      name: 'is allowed with the power to invite, whatever state takes',
      event: invite('@inviter:x'),
      state: [
        membership('@inviter:x', 'join'),
        ...state({ users: { '@inviter:x': 25 }, invite: 25, state_default: 50 }),
      ],
      verdict: 'allowed',
    },
    { name: 'is refused without', event: invite('@alice:x'), verdict: ({ thirdParty }) => `${thirdParty}.1` },
    { name: 'is refused to who is no member', event: invite('@left:x'), verdict: ({ sender }) => sender },
    {
      name: 'by levels that cannot be read is refused',
      event: invite('@mod:x'),
      state: state({ users: [] }),
      verdict: () => 'power_levels',
    },
  ])
})

test('power levels that the caller keeps are used', () => {
  for (const version of roomVersions) {
    const kept = { ...roomState(version), powerLevels: readPowerLevels({ events_default: 1 }, rulesOf(version)) }
    const verdict = authorize(inRoom(version, message('@alice:x')), kept, rulesOf(version))
    assert.ok(!verdict.ok)
    assert.match(verdict.reason, /takes power level 1/)
  }
})
