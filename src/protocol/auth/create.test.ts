import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EventDraft, rulesOf } from '#protocol/event-builder.testing.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { createIdOf, inRoom, roomState, testRows, versionsFrom } from './auth-room.testing.ts'
import { authorize } from './authorize.ts'

const create =
  (content: object = {}, more: EventDraft = {}) =>
  (version: string): EventDraft => ({
    type: 'm.room.create',
    sender: '@creator:x',
    stateKey: '',
    eventId: createIdOf(version),
    prevEvents: [],
    ...more,
    content: { ...(Number(version) < 11 ? { creator: '@creator:x' } : {}), ...content },
  })
const message = (sender: string, more: EventDraft = {}): EventDraft => ({ sender, ...more })

describe('a create event', () => {
  const toOtherServer = create({}, { sender: '@creator:y' })
  testRows([
    { name: 'is allowed', event: create(), verdict: 'allowed' },
    { name: 'has no previous events', event: create({}, { prevEvents: ['$a:x'] }), verdict: () => '1.1' },
    {
      name: 'is of the server of the room ID',
      event: toOtherServer,
      versions: versionsFrom(1, 11),
      verdict: () => '1.2',
    },
    {
      name: 'is of any server where the room ID names none',
      event: toOtherServer,
      versions: ['12'],
      verdict: 'allowed',
    },
    { name: 'names a version that is known', event: create({ room_version: '1' }), verdict: 'allowed' },
    { name: 'names no version that is not known', event: create({ room_version: 'x' }), verdict: () => '1.3' },
    { name: 'names a version by text', event: create({ room_version: 1 }), verdict: () => '1.3' },
    {
      name: 'names the creator up to version 10',
      event: (version) => ({ ...create()(version), content: {} }),
      versions: versionsFrom(1, 10),
      verdict: () => '1.4',
    },
    {
      name: 'needs not name the creator from version 11',
      event: (version) => ({ ...create()(version), content: {} }),
      versions: versionsFrom(11),
      verdict: 'allowed',
    },
    {
      name: 'may name additional creators',
      event: create({ additional_creators: ['@a:y', '@Ä:z'] }),
      verdict: 'allowed',
    },
    { name: 'may name no additional creators', event: create({ additional_creators: [] }), verdict: 'allowed' },
    ...[{}, 'x', null, ['alice'], ['@a:x', 1]].map((additional_creators) => ({
      name: `names ${JSON.stringify(additional_creators)} as additional creators in vain in version 12`,
      event: create({ additional_creators }),
      versions: ['12'],
      verdict: () => '1.4',
    })),
    {
      name: 'is not looked at for additional creators before version 12',
      event: create({ additional_creators: 1 }),
      versions: versionsFrom(1, 11),
      verdict: 'allowed',
    },
  ])

  test('has no room ID in version 12', () => {
    const event = inRoom('12', create()('12'))
    const verdict = authorize(
      { ...event, pdu: { ...event.pdu, room_id: event.roomId } },
      roomState('12'),
      rulesOf('12'),
    )
    assert.ok(!verdict.ok)
    assert.equal(verdict.rule, '1.2')
  })
})

describe('a room', () => {
  const closed = [create({ 'm.federate': false })]
  testRows([
    {
      name: 'has a create event',
      event: message('@alice:x'),
      without: ['m.room.create'],
      versions: versionsFrom(1, 11),
      verdict: ({ auth }) => `${auth}.4`,
    },
    {
      name: 'has a create event in version 12',
      event: message('@alice:x'),
      without: ['m.room.create'],
      versions: ['12'],
      verdict: () => '2',
    },
    {
      name: 'has the ID of its create event in version 12',
      event: message('@alice:x', { roomId: `!${'a'.repeat(43)}` }),
      versions: ['12'],
      verdict: () => '2',
    },
  ])
  for (const version of roomVersions) {
    const closedState = { state: closed.map((draft) => draft(version)) }
    testRows([
      {
        name: 'that is closed refuses other servers',
        event: message('@bob:y'),
        ...closedState,
        versions: [version],
        verdict: ({ federate }) => federate,
      },
      {
        name: 'that is closed takes its own server',
        event: message('@alice:x'),
        ...closedState,
        versions: [version],
        verdict: 'allowed',
      },
      {
        name: 'that does not say it is closed is open',
        event: message('@bob:y'),
        state: [create({ 'm.federate': 'false' })(version)],
        versions: [version],
        verdict: 'allowed',
      },
    ])
  }
})
