import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { roomEvent } from '#protocol/event-builder.testing.ts'
import { isPowerEvent } from './resolve.ts'
import { keyOf, RoomStory, type State } from './room-story.testing.ts'

const MEMBER = 'm.room.member'
const LEVELS = 'm.room.power_levels'
const TOPIC = 'm.room.topic'
const [ALICE, BOB, CAROL, EVE] = ['@alice:x', '@bob:x', '@carol:x', '@eve:x'] as const

/** Alice founded the room and Bob moderates. In version 12 Alice stands above the list. */
const powers = (version: string, others: Readonly<Record<string, number>> = { [BOB]: 50 }) => ({
  users: { ...(version === '12' ? {} : { [ALICE]: 100 }), ...others },
  events: { [TOPIC]: 0 },
})
const without = (state: State, type: string, stateKey = ''): State =>
  new Map([...state].filter(([key]) => key !== keyOf(type, stateKey)))

for (const version of ['2', '6', '11', '12']) {
  describe(`in room version ${version}`, () => {
    const begin = (users: readonly string[], others?: Readonly<Record<string, number>>) => {
      const story = new RoomStory(version)
      return { story, start: story.begin(powers(version, others), users) }
    }

    test('a ban by a moderator who is demoted at the same time does not stand', () => {
      const { story, start } = begin([BOB, CAROL])
      const banned = story.member(start, { name: 'ban', by: BOB, of: CAROL, membership: 'ban' })
      const demoted = story.levels(start, 'demotion', ALICE, powers(version, {}))
      assert.equal(story.winner([banned, demoted], LEVELS), 'demotion')
      assert.equal(story.winner([banned, demoted], MEMBER, CAROL), 'carol')
    })
    test('a ban by a moderator who stays one stands against other changes of power', () => {
      const { story, start } = begin([BOB, CAROL])
      const banned = story.member(start, { name: 'ban', by: BOB, of: CAROL, membership: 'ban' })
      const changed = story.levels(start, 'change', ALICE, powers(version, { [BOB]: 50, [EVE]: 10 }))
      assert.equal(story.winner([banned, changed], LEVELS), 'change')
      assert.equal(story.winner([banned, changed], MEMBER, CAROL), 'ban')
    })
    test('nobody slips in while the room is being closed', () => {
      const { story, start } = begin([])
      const closed = story.set(start, {
        name: 'closed',
        by: ALICE,
        type: 'm.room.join_rules',
        content: { join_rule: 'invite' },
      })
      const joined = story.member(start, { name: 'eve', by: EVE, membership: 'join' })
      assert.equal(story.winner([closed, joined], 'm.room.join_rules'), 'closed')
      assert.equal(story.winner([closed, joined], MEMBER, EVE), undefined)
    })
    test('what somebody changed while being banned is undone', () => {
      const { story, start } = begin([EVE])
      const titled = story.topic(start, 'before', ALICE)
      const banned = story.member(titled, { name: 'ban', by: ALICE, of: EVE, membership: 'ban' })
      const changed = story.topic(titled, 'after', EVE)
      assert.equal(story.winner([banned, changed], MEMBER, EVE), 'ban')
      assert.equal(story.winner([banned, changed], TOPIC), 'before')
    })
    test('leaving does not escape a ban', () => {
      const { story, start } = begin([EVE])
      const banned = story.member(start, { name: 'ban', by: ALICE, of: EVE, membership: 'ban' })
      const left = story.member(start, { name: 'left', by: EVE, membership: 'leave' })
      const back = story.member(left, { name: 'back', by: EVE, membership: 'join' })
      assert.equal(story.winner([banned, left], MEMBER, EVE), 'ban')
      assert.equal(story.winner([banned, back], MEMBER, EVE), 'ban')
    })
    test('of two topics set at once the later stands', () => {
      const { story, start } = begin([BOB])
      const early = story.topic(start, 'early', ALICE)
      const late = story.topic(start, 'late', BOB)
      assert.equal(story.winner([late, early], TOPIC), 'late')
    })
    test('of two topics of one moment that with the larger event ID stands', () => {
      const { story, start } = begin([BOB])
      const one = story.topic(start, 'aaa', ALICE, { originServerTs: 99 })
      const other = story.topic(start, 'bbb', BOB, { originServerTs: 99 })
      assert.equal(story.winner([other, one], TOPIC), 'bbb')
    })
    test('a topic under newer power levels stands against a later one under older', () => {
      const { story, start } = begin([BOB])
      const changed = story.levels(start, 'change', ALICE, powers(version, { [BOB]: 40 }))
      const newer = story.topic(changed, 'newer', BOB, { originServerTs: 1 })
      const older = story.topic(start, 'older', ALICE, { originServerTs: 1000 })
      assert.equal(story.winner([newer, older], TOPIC), 'newer')
    })
    test('a clock that is ahead does not win a change of power against somebody with more of it', () => {
      const { story, start } = begin([BOB], { [BOB]: 60 })
      const own = story.levels(start, 'own', BOB, powers(version, { [BOB]: 60, [CAROL]: 60 }))
      const demoted = story.levels(start, 'demotion', ALICE, powers(version, {}))
      assert.equal(story.winner([own, demoted], LEVELS), 'demotion')
    })
    test('of three states the one that differs does not undo what two agree about', () => {
      const { story, start } = begin([BOB, CAROL])
      const banned = story.member(start, { name: 'ban', by: BOB, of: CAROL, membership: 'ban' })
      const titled = story.topic(banned, 'topic', BOB)
      assert.equal(story.winner([banned, titled, start], MEMBER, CAROL), 'ban')
      assert.equal(story.winner([banned, titled, start], TOPIC), 'topic')
    })
    test('an older state beside a newer one resets nothing', () => {
      const { story, start } = begin([BOB])
      const one = story.levels(start, 'one', ALICE, powers(version, { [BOB]: 50, [CAROL]: 1 }))
      const two = story.levels(one, 'two', ALICE, powers(version, { [BOB]: 50, [CAROL]: 2 }))
      const left = story.member(two, { name: 'left', by: BOB, membership: 'leave' })
      assert.deepEqual(story.resolve([start, left]), story.resolve([left]))
      assert.deepEqual(story.resolve([start, left, one, two]), story.resolve([left]))
    })
    test('a rejected auth event vouches for nobody', () => {
      const { story, start } = begin([])
      const inside = story.member(start, { name: 'eve', by: EVE, membership: 'join' })
      // Both topics cite the membership, so it is no part of the difference; neither state has it.
      const topics = ['one', 'two'].map((name) => without(story.topic(inside, name, EVE), MEMBER, EVE))
      assert.equal(story.winner(topics, TOPIC), 'two')
      story.rejected.add('$eve')
      assert.equal(story.winner(topics, TOPIC), undefined)
    })
    test('an event that is not known takes no part', () => {
      const { story, start } = begin([BOB])
      const one = story.topic(start, 'one', BOB)
      const other = new Map(one).set(keyOf(TOPIC, ''), '$nobody has it')
      assert.equal(story.winner([one, other], TOPIC), 'one')
      assert.equal(story.winner([other, start], TOPIC), undefined)
    })
    test('a room without its create event resolves to something', () => {
      const { story, start } = begin([BOB])
      const headless = without(start, 'm.room.create')
      const one = story.topic(headless, 'one', BOB, { isForced: true })
      const other = story.topic(headless, 'other', BOB, { isForced: true })
      story.events.delete('$create')
      assert.equal(story.resolve([one, other]).get(keyOf(MEMBER, BOB)), '$bob')
    })
    test('a missing auth event leaves the rest to decide', () => {
      const { story, start } = begin([BOB])
      const one = story.topic(start, 'one', ALICE, { authEvents: ['$create', '$missing'], isForced: true })
      const other = story.topic(start, 'other', BOB)
      assert.equal(story.winner([one, other], TOPIC), 'other')
    })
    test('one state, no state, and the same state twice need no resolution', () => {
      const { story, start } = begin([BOB])
      assert.equal(story.resolve([]).size, 0)
      assert.deepEqual(story.resolve([start]), story.resolve([start, start]))
      assert.deepEqual(story.resolve([start]), story.resolve([start, new Map(start)]))
      assert.equal(story.resolve([start]).size, start.size)
    })
  })
}

describe('what version 2.1 sets right', () => {
  /** Bob joined while the room was open; then it was closed; a faulty server has lost Bob. */
  const lostMember = (version: string): string | undefined => {
    const story = new RoomStory(version)
    // Carol joined too, so that both states know of the open room, and it is no part of the difference.
    const start = story.begin(powers(version), [BOB, CAROL])
    const closed = story.set(start, {
      name: 'closed',
      by: ALICE,
      type: 'm.room.join_rules',
      content: { join_rule: 'invite' },
    })
    return story.winner([closed, without(closed, MEMBER, BOB)], MEMBER, BOB)
  }
  test('a member who joined while the room was open was lost when it had been closed since', () => {
    assert.equal(lostMember('11'), undefined)
  })
  test('such a member stays', () => assert.equal(lostMember('12'), 'bob'))

  /** Alice made Carol an admin, Carol changed the levels; a faulty server still has the first levels. */
  const forgottenPromotion = (version: string): string | undefined => {
    const story = new RoomStory(version)
    const start = story.begin(powers(version), [CAROL])
    const promoted = story.levels(start, 'promotion', ALICE, powers(version, { [CAROL]: 90 }))
    // Both states have the topic, so the promotion is in both auth chains and not in their difference.
    const titled = story.topic(promoted, 'topic', CAROL)
    const changed = story.levels(titled, 'change', CAROL, powers(version, { [CAROL]: 90, [BOB]: 10 }))
    const stale = new Map(titled).set(keyOf(LEVELS, ''), '$levels')
    return story.winner([changed, stale], LEVELS)
  }
  test('power levels fell back to old ones where a step between them was not in conflict', () => {
    assert.equal(forgottenPromotion('11'), 'levels')
  })
  test('every step between two conflicting power levels is judged', () => {
    assert.equal(forgottenPromotion('12'), 'change')
  })
  test('a creator comes before an admin of 100 however late', () => {
    const story = new RoomStory('12')
    const start = story.begin(powers('12', { [BOB]: 100 }), [BOB, CAROL])
    const own = story.levels(start, 'own', BOB, powers('12', { [BOB]: 100, [CAROL]: 100 }))
    const demoted = story.levels(start, 'demotion', ALICE, powers('12', {}))
    assert.equal(story.winner([own, demoted], LEVELS), 'demotion')
  })
})

describe('in room version 1', () => {
  const begin = (users: readonly string[]) => {
    const story = new RoomStory('1')
    return { story, start: story.begin(powers('1'), users) }
  }
  test('the deepest topic that is allowed stands', () => {
    const { story, start } = begin([BOB])
    const deep = story.topic(start, 'deep', BOB, { depth: 50 })
    const flat = story.topic(start, 'flat', ALICE, { depth: 40, originServerTs: 9999 })
    assert.equal(story.winner([flat, deep], TOPIC), 'deep')
  })
  test('of equal depth the topic with the lower hash of its event ID stands', () => {
    const { story, start } = begin([BOB])
    const names = ['a', 'b', 'c', 'd']
    const states = names.map((name) => story.topic(start, name, BOB, { depth: 50 }))
    const hashOf = (name: string): string => createHash('sha1').update(`$${name}`).digest('hex')
    const [lowest] = names.toSorted((x, y) => (hashOf(x) < hashOf(y) ? -1 : 1))
    assert.equal(story.winner(states, TOPIC), lowest)
    assert.equal(story.winner(states.toReversed(), TOPIC), lowest)
  })
  test('a topic that is not allowed by the resolved members is passed over', () => {
    const { story, start } = begin([EVE])
    const titled = story.topic(start, 'before', ALICE)
    const banned = story.member(titled, { name: 'ban', by: ALICE, of: EVE, membership: 'ban' })
    const changed = story.topic(titled, 'after', EVE)
    assert.equal(story.winner([banned, changed], MEMBER, EVE), 'ban')
    assert.equal(story.winner([banned, changed], TOPIC), 'before')
  })
  test('power levels are followed as long as each allows the next', () => {
    const { story, start } = begin([BOB])
    const one = story.levels(start, 'one', ALICE, powers('1', {}))
    const two = story.levels(one, 'two', ALICE, powers('1', { [CAROL]: 5 }))
    const own = story.levels(start, 'own', BOB, { ...powers('1'), ban: 40 })
    assert.equal(story.winner([start, one, two], LEVELS), 'two')
    assert.equal(story.winner([two, own], LEVELS), 'two')
  })
  test('a key that only some states have is no conflict', () => {
    const { story, start } = begin([BOB])
    const banned = story.member(start, { name: 'ban', by: ALICE, of: CAROL, membership: 'ban' })
    const invited = story.member(start, { name: 'guest', by: ALICE, of: EVE, membership: 'invite' })
    const resolved = story.resolve([banned, invited])
    assert.equal(resolved.get(keyOf(MEMBER, CAROL)), '$ban')
    assert.equal(resolved.get(keyOf(MEMBER, EVE)), '$guest')
  })
  test('where nothing is allowed the least deep stays', () => {
    const { story, start } = begin([])
    const one = story.topic(start, 'one', EVE, { isForced: true, depth: 20 })
    const two = story.topic(start, 'two', EVE, { isForced: true, depth: 30 })
    assert.equal(story.winner([one, two], TOPIC), 'one')
  })
  test('an event that is not known takes no part', () => {
    const { story, start } = begin([])
    const one = story.topic(start, 'one', ALICE)
    assert.equal(story.winner([one, new Map(one).set(keyOf(TOPIC, ''), '$lost')], TOPIC), 'one')
  })
})

describe('a power event', () => {
  const cases: readonly (readonly [string, Parameters<typeof roomEvent>[0], boolean])[] = [
    ['power levels are one', { type: LEVELS, stateKey: '' }, true],
    ['join rules are one', { type: 'm.room.join_rules', stateKey: '' }, true],
    ['power levels that are no state are none', { type: LEVELS }, false],
    ['a ban is one', { type: MEMBER, stateKey: EVE, content: { membership: 'ban' } }, true],
    ['being removed is one', { type: MEMBER, stateKey: EVE, content: { membership: 'leave' } }, true],
    ['leaving is none', { type: MEMBER, stateKey: ALICE, content: { membership: 'leave' } }, false],
    ['an invitation is none', { type: MEMBER, stateKey: EVE, content: { membership: 'invite' } }, false],
    ['a member without membership is none', { type: MEMBER, stateKey: EVE, content: {} }, false],
    ['a topic is none', { type: TOPIC, stateKey: '' }, false],
  ]
  for (const [name, draft, expected] of cases) {
    test(name, () => assert.equal(isPowerEvent(roomEvent(draft)), expected))
  }
  test('an event that is not known is none', () => assert.equal(isPowerEvent(undefined), false))
})
