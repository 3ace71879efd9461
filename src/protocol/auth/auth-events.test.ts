import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EventDraft, rulesOf } from '#protocol/event-builder.testing.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { authEventKeys, type StateKeyPair } from './auth-event-types.ts'
import { createIdOf, inRoom, membership, pageOf, stateOf, versionsFrom } from './auth-room.testing.ts'
import { checkAuthEvents } from './check-auth-events.ts'

const ALICE = '@alice:x'
const create: StateKeyPair = ['m.room.create', '']
const levels: StateKeyPair = ['m.room.power_levels', '']
const rules: StateKeyPair = ['m.room.join_rules', '']
const member = (user: string): StateKeyPair => ['m.room.member', user]
const sorted = (pairs: readonly StateKeyPair[]) => pairs.map((pair) => pair.join(' ')).toSorted()

function selects(draft: EventDraft, expected: readonly StateKeyPair[], versions = roomVersions): void {
  for (const version of versions) {
    const keys = authEventKeys(inRoom(version, draft), rulesOf(version))
    const all = version === '12' ? expected : [create, ...expected]
    assert.deepEqual(sorted(keys), sorted(all), `version ${version}`)
  }
}
const thirdParty = { third_party_invite: { signed: { token: 't', mxid: '@bob:y' } } }
const authorised = { join_authorised_via_users_server: '@mod:x' }

describe('the auth events', () => {
  test('of the create event are none', () => {
    for (const version of roomVersions) {
      assert.deepEqual(authEventKeys(inRoom(version, { type: 'm.room.create', stateKey: '' }), rulesOf(version)), [])
    }
  })

  test('of a message are the create event (up to version 11), the power levels and the sender', () => {
    selects({ sender: ALICE }, [levels, member(ALICE)])
    selects({ ...stateOf('m.room.topic', { membership: 'join', ...authorised, ...thirdParty }), sender: ALICE }, [
      levels,
      member(ALICE),
    ])
  })

  test('of a member are also the target and, unless somebody leaves, the join rules', () => {
    for (const what of ['join', 'invite', 'knock']) {
      selects(membership(ALICE, what), [levels, member(ALICE), rules])
      selects(membership('@bob:y', what, { sender: ALICE }), [levels, member(ALICE), member('@bob:y'), rules])
    }
    for (const what of ['leave', 'ban', 1])
      selects(membership('@bob:y', what, { sender: ALICE }), [levels, member(ALICE), member('@bob:y')])
    selects({ type: 'm.room.member', sender: ALICE, content: { membership: 'leave' } }, [levels, member(ALICE)])
  })

  test('of a third-party invite are also what it follows from', () => {
    const invite = membership('@bob:y', 'invite', { sender: ALICE, content: thirdParty })
    selects(invite, [levels, member(ALICE), member('@bob:y'), rules, ['m.room.third_party_invite', 't']])
    selects(membership(ALICE, 'join', { content: thirdParty }), [levels, member(ALICE), rules])
    for (const odd of [1, null, {}, { signed: 1 }, { signed: { token: 1 } }]) {
      selects(membership(ALICE, 'invite', { content: { third_party_invite: odd } }), [levels, member(ALICE), rules])
    }
  })

  test('of a join are also who authorised it, from version 8', () => {
    const join = membership(ALICE, 'join', { content: authorised })
    selects(join, [levels, member(ALICE), rules], versionsFrom(1, 7))
    selects(join, [levels, member(ALICE), rules, member('@mod:x')], versionsFrom(8))
    selects(membership(ALICE, 'leave', { content: authorised }), [levels, member(ALICE)])
    selects(membership(ALICE, 'join', { content: { join_authorised_via_users_server: ALICE } }), [
      levels,
      member(ALICE),
      rules,
    ])
  })
})

describe('the auth events that an event names', () => {
  const entries = (version: string): readonly EventDraft[] => [
    ...(version === '12' ? [] : [{ type: 'm.room.create', stateKey: '', eventId: createIdOf(version) }]),
    stateOf('m.room.power_levels', {}),
    membership(ALICE, 'join'),
  ]
  const check = (
    version: string,
    drafts: readonly EventDraft[],
    event: EventDraft = { sender: ALICE },
    isRejected = false,
  ) =>
    checkAuthEvents(
      inRoom(version, event),
      drafts.map((draft) => ({ event: inRoom(version, draft), isRejected })),
      rulesOf(version),
    )
  const isRefused = (version: string, drafts: readonly EventDraft[], number: number, isRejected = false) => {
    const verdict = check(version, drafts, { sender: ALICE }, isRejected)
    assert.ok(!verdict.ok, `version ${version}`)
    assert.equal(verdict.rule, `${pageOf(version).auth}.${number}`)
  }

  test('are allowed when they are those that are selected, or fewer', () => {
    for (const version of roomVersions) {
      assert.deepEqual(check(version, entries(version)), { ok: true })
      assert.deepEqual(check(version, entries(version).slice(0, 1)), { ok: true })
    }
  })

  test('are refused when there are two of a type and state key', () => {
    for (const version of roomVersions)
      isRefused(version, [...entries(version), membership(ALICE, 'leave', { eventId: '$other' })], 1)
  })

  test('are refused when there are others', () => {
    const others = [
      membership('@bob:y', 'join'),
      stateOf('m.room.join_rules', {}),
      stateOf('m.room.power_levels', {}, 'x'),
      { type: 'm.room.power_levels' },
    ]
    for (const version of roomVersions) for (const other of others) isRefused(version, [...entries(version), other], 2)
    isRefused('12', [...entries('12'), { type: 'm.room.create', stateKey: '', eventId: createIdOf('12') }], 2)
  })

  test('are refused when one was rejected', () => {
    for (const version of roomVersions) isRefused(version, entries(version), 3, true)
  })

  test('are refused without the create event up to version 11', () => {
    for (const version of versionsFrom(1, 11)) isRefused(version, entries(version).slice(1), 4)
    assert.deepEqual(check('12', []), { ok: true })
  })

  test('are refused when one is of another room', () => {
    for (const version of roomVersions) {
      const [first, ...others] = entries(version)
      isRefused(version, [{ ...first, roomId: '!other:x' }, ...others], version === '12' ? 4 : 5)
    }
  })

  test('are not looked at for the create event', () => {
    for (const version of roomVersions) {
      const event = { type: 'm.room.create', stateKey: '' }
      assert.deepEqual(check(version, [membership(ALICE, 'join')], event, true), { ok: true })
    }
  })
})
