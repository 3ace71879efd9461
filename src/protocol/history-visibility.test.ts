import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { anyJsonObject, roomEvent } from './event-builder.testing.ts'
import { type HistoryVisibility, mayServerSee, mayUserSee, readHistoryVisibility } from './history-visibility.ts'

const ME = '@me:x'
const message = roomEvent({})
const change = (to: string) =>
  roomEvent({ type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: to } })
const member = (membership: string, stateKey = ME) =>
  roomEvent({ type: 'm.room.member', stateKey, content: { membership } })
type Case = readonly [string, HistoryVisibility, ReturnType<typeof roomEvent>, string | undefined, boolean, boolean]

describe('what a user may see', () => {
  const cases: readonly Case[] = [
    ['anybody may read a world readable room', 'world_readable', message, undefined, false, true],
    ['a banned user may read a world readable room', 'world_readable', message, 'ban', false, true],
    ['a member may see an event in a shared room', 'shared', message, 'join', false, true],
    ['who joined later may see a shared event', 'shared', message, undefined, true, true],
    ['who never joined may not see a shared event', 'shared', message, undefined, false, false],
    ['an invited user may not see a shared event', 'shared', message, 'invite', false, false],
    ['who was kicked before and came back may see a shared event', 'shared', message, 'leave', true, true],
    ['an invited user may see an event for the invited', 'invited', message, 'invite', false, true],
    ['who joined later may not see an event for the invited', 'invited', message, undefined, true, false],
    ['who knocked may not see an event for the invited', 'invited', message, 'knock', true, false],
    ['a member may see an event for the joined', 'joined', message, 'join', false, true],
    ['an invited user may not see an event for the joined', 'joined', message, 'invite', true, false],
    ['who has left may not see an event for the joined', 'joined', message, 'leave', true, false],
    [
      'the change from world readable to joined may be seen by all',
      'world_readable',
      change('joined'),
      undefined,
      false,
      true,
    ],
    [
      'the change from joined to world readable may be seen by all',
      'joined',
      change('world_readable'),
      undefined,
      false,
      true,
    ],
    [
      'the change from joined to invited may be seen by the invited',
      'joined',
      change('invited'),
      'invite',
      false,
      true,
    ],
    [
      'the change from joined to shared may be seen by who joins later',
      'joined',
      change('shared'),
      undefined,
      true,
      true,
    ],
    ['a change between closed settings stays closed', 'joined', change('invited'), undefined, true, false],
    ['a user sees their own join', 'joined', member('join'), 'invite', false, true],
    ['a user sees how they were removed', 'joined', member('leave'), 'join', false, true],
    ['a user sees how they were banned', 'joined', member('ban'), 'join', false, true],
    ['a user sees their invitation where the invited may', 'invited', member('invite'), undefined, false, true],
    [
      'a user does not see their invitation where only the joined may',
      'joined',
      member('invite'),
      undefined,
      false,
      false,
    ],
    ['the join of somebody else opens nothing', 'joined', member('join', '@o:x'), undefined, true, false],
    [
      'what is no membership opens nothing, whatever its content says',
      'joined',
      roomEvent({ type: 'm.room.topic', stateKey: ME, content: { membership: 'join' } }),
      undefined,
      false,
      false,
    ],
    [
      'a membership that is no state opens nothing',
      'joined',
      roomEvent({ type: 'm.room.member', content: { membership: 'join' } }),
      undefined,
      false,
      false,
    ],
  ]
  for (const [name, visibility, event, membership, hasJoinedSince, expected] of cases) {
    test(name, () => {
      assert.equal(mayUserSee({ event, visibility }, { userId: ME, membership, hasJoinedSince }), expected)
    })
  }
  test('a visibility that is not understood is shared', () => {
    assert.equal(readHistoryVisibility(undefined), 'shared')
    assert.equal(readHistoryVisibility({}), 'shared')
    assert.equal(readHistoryVisibility({ history_visibility: 'odd' }), 'shared')
    assert.equal(readHistoryVisibility({ history_visibility: 7 }), 'shared')
    assert.equal(readHistoryVisibility({ history_visibility: 'joined' }), 'joined')
  })
  test('a change with a state key is no change', () => {
    const event = roomEvent({
      type: 'm.room.history_visibility',
      stateKey: 'x',
      content: { history_visibility: 'world_readable' },
    })
    assert.equal(
      mayUserSee({ event, visibility: 'joined' }, { userId: ME, membership: undefined, hasJoinedSince: false }),
      false,
    )
  })
  test('no content makes it throw', () => {
    fc.assert(
      fc.property(anyJsonObject, fc.constantFrom('m.room.member', 'm.room.history_visibility'), (content, type) => {
        const event = roomEvent({ type, stateKey: type === 'm.room.member' ? ME : '', content })
        mayUserSee({ event, visibility: 'joined' }, { userId: ME, membership: undefined, hasJoinedSince: true })
      }),
    )
  })
})

describe('what a server may be given', () => {
  const see = (
    visibility: HistoryVisibility,
    memberships: readonly string[],
    hasJoinedSince = false,
    event = message,
  ) => mayServerSee({ event, visibility }, { serverName: 'x', memberships, hasJoinedSince })

  test('a server with one member gets the event', () => assert.equal(see('joined', ['leave', 'join']), true))
  test('a server with an invited user gets what the invited may see', () => {
    assert.equal(see('invited', ['invite']), true)
    assert.equal(see('joined', ['invite']), false)
  })
  test('a server that joined later gets shared history', () => {
    assert.equal(see('shared', [], true), true)
    assert.equal(see('shared', []), false)
  })
  test('a server gets the joins and departures of its users', () => {
    assert.equal(see('joined', [], false, member('join')), true)
    assert.equal(see('joined', [], false, member('join', '@me:other')), false)
    assert.equal(see('joined', [], false, member('join', 'x')), false)
    assert.equal(see('joined', [], false, roomEvent({ type: 'm.room.member', content: { membership: 'join' } })), false)
  })
})
