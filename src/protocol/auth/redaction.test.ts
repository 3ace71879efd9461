import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EventDraft, rulesOf } from '#protocol/event-builder.testing.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { inRoom, roomState, stateOf, testRows, versionsFrom } from './auth-room.testing.ts'
import { mayRedact } from './redaction.ts'

const state = (content: object) => [stateOf('m.room.power_levels', content as never)]

describe('a redaction', () => {
  const redaction = (sender: string, redacts?: string): EventDraft => ({
    type: 'm.room.redaction',
    sender,
    eventId: '$redaction:y',
    ...(redacts === undefined ? {} : { redacts }),
  })
  testRows([
    {
      name: 'is allowed with the power in versions 1 and 2',
      event: redaction('@mod:x', '$e:z'),
      versions: ['1', '2'],
      verdict: 'allowed',
    },
    {
      name: 'of an event of the same server is allowed in versions 1 and 2',
      event: redaction('@bob:y', '$e:y'),
      versions: ['1', '2'],
      verdict: 'allowed',
    },
    {
      name: 'of an event of another server is refused in versions 1 and 2',
      event: redaction('@bob:y', '$e:z'),
      versions: ['1', '2'],
      verdict: () => '11.3',
    },
    {
      name: 'of nothing is refused in versions 1 and 2',
      event: redaction('@bob:y'),
      versions: ['1', '2'],
      verdict: () => '11.3',
    },
    {
      name: 'is a message like any other from version 3',
      event: redaction('@bob:y', '$e:z'),
      versions: versionsFrom(3),
      verdict: 'allowed',
    },
    {
      name: 'takes the power that its type takes',
      event: redaction('@alice:x', '$e:x'),
      state: state({ events: { 'm.room.redaction': 1 } }),
      verdict: ({ power }) => power,
    },
  ])

  const given = (version: string, sender: string, change = {}) => ({
    event: inRoom(version, redaction(sender, '$target:x')),
    state: roomState(version, change),
    rules: rulesOf(version),
  })
  const target = (version: string, more: EventDraft = {}) =>
    inRoom(version, { eventId: '$target:x', sender: '@alice:x', ...more })

  test('is carried out by the redact level, or on events of the same server', () => {
    for (const version of versionsFrom(3)) {
      assert.ok(mayRedact(given(version, '@mod:x'), target(version)))
      assert.ok(mayRedact(given(version, '@mod:x'), target(version, { sender: '@bob:y' })))
      assert.ok(mayRedact(given(version, '@other:x'), target(version)))
      assert.ok(!mayRedact(given(version, '@bob:y'), target(version)))
      assert.ok(!mayRedact(given(version, '@bob:y', { state: state({ users: 1 }) }), target(version)))
    }
  })

  test('was judged before in versions 1 and 2', () => {
    for (const version of ['1', '2']) assert.ok(mayRedact(given(version, '@bob:y'), target(version)))
  })

  test('does nothing to other events, or to those of other rooms', () => {
    for (const version of roomVersions) {
      assert.ok(!mayRedact(given(version, '@admin:x'), target(version, { eventId: '$other:x' })))
      assert.ok(!mayRedact(given(version, '@admin:x'), target(version, { roomId: '!other:x' })))
    }
  })
})
