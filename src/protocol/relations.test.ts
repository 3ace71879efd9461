import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '#util/json.ts'
import { anyJson, anyJsonObject, type EventDraft, roomEvent } from './event-builder.testing.ts'
import { isNewerEdit, isValidEdit, mayBeThreadRoot, readRelation, replyTarget, threadOf } from './relations.ts'

const relating = (relatesTo: Json, more: JsonObject = {}): JsonObject => ({ ...more, 'm.relates_to': relatesTo })

describe('relations', () => {
  test('a relation is read with its key', () => {
    const content = relating({ rel_type: 'm.annotation', event_id: '$a', key: '👍' })
    assert.deepEqual(readRelation(content), { relType: 'm.annotation', eventId: '$a', key: '👍', isFallingBack: false })
  })
  test('a threaded event may carry a reply that is only a fallback', () => {
    const content = relating({
      rel_type: 'm.thread',
      event_id: '$root',
      'm.in_reply_to': { event_id: '$last' },
      is_falling_back: true,
    })
    assert.equal(readRelation(content)?.isFallingBack, true)
    assert.equal(replyTarget(content), '$last')
  })
  test('a reply alone is no relation', () => {
    const content = relating({ 'm.in_reply_to': { event_id: '$a' } })
    assert.equal(readRelation(content), undefined)
    assert.equal(replyTarget(content), '$a')
  })
  const broken: readonly (readonly [string, Json])[] = [
    ['text is no relation', 'x'],
    ['null is no relation', null],
    ['a relation needs a type', { event_id: '$a' }],
    ['a relation needs an event', { rel_type: 'm.thread' }],
    ['a type must be text', { rel_type: 1, event_id: '$a' }],
    ['a type must not be empty', { rel_type: '', event_id: '$a' }],
    ['an event ID has a dollar sign', { rel_type: 'm.thread', event_id: 'a' }],
    ['an event ID has at most 255 bytes', { rel_type: 'm.thread', event_id: `$${'ä'.repeat(128)}` }],
  ]
  for (const [name, relatesTo] of broken) {
    test(name, () => assert.equal(readRelation(relating(relatesTo)), undefined))
  }
  test('no content makes reading throw', () => {
    fc.assert(
      fc.property(anyJsonObject, anyJson, (content, relatesTo) => {
        for (const each of [content, relating(relatesTo), relating({ 'm.in_reply_to': relatesTo })]) {
          readRelation(each)
          replyTarget(each)
        }
      }),
    )
  })
})

describe('threads', () => {
  const events = new Map(
    [
      roomEvent({ eventId: '$root' }),
      roomEvent({ eventId: '$in', content: relating({ rel_type: 'm.thread', event_id: '$root' }) }),
      roomEvent({ eventId: '$1', content: relating({ rel_type: 'm.annotation', event_id: '$in' }) }),
      roomEvent({ eventId: '$2', content: relating({ rel_type: 'm.annotation', event_id: '$1' }) }),
      roomEvent({ eventId: '$3', content: relating({ rel_type: 'm.annotation', event_id: '$2' }) }),
      roomEvent({ eventId: '$4', content: relating({ rel_type: 'm.annotation', event_id: '$3' }) }),
      roomEvent({ eventId: '$edit', content: relating({ rel_type: 'm.replace', event_id: '$root' }) }),
      roomEvent({ eventId: '$loop', content: relating({ rel_type: 'm.reference', event_id: '$loop' }) }),
      roomEvent({ eventId: '$lost', content: relating({ rel_type: 'm.reference', event_id: '$unknown' }) }),
      roomEvent({ eventId: '$far', roomId: '!o:x', content: relating({ rel_type: 'm.reference', event_id: '$in' }) }),
    ].map((event) => [event.eventId as string, event]),
  )
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['a threaded event belongs to its root', '$in', '$root'],
    ['a reaction belongs to the thread of its event', '$1', '$root'],
    ['three hops are followed', '$3', '$root'],
    ['a fourth hop is not', '$4', undefined],
    ['the root is in the main timeline', '$root', undefined],
    ['an edit of the root is in the main timeline', '$edit', undefined],
    ['a circle ends', '$loop', undefined],
    ['an unknown parent ends', '$lost', undefined],
    ['a parent in another room does not count', '$far', undefined],
  ]
  for (const [name, eventId, expected] of cases) {
    test(name, () => {
      const event = events.get(eventId)
      assert.ok(event)
      assert.equal(
        threadOf(event, (id) => events.get(id)),
        expected,
      )
    })
  }
  test('a thread starts from an event without a relation', () => {
    assert.equal(mayBeThreadRoot(roomEvent({})).ok, true)
    assert.equal(mayBeThreadRoot(roomEvent({ content: relating({ 'm.in_reply_to': { event_id: '$a' } }) })).ok, true)
    assert.equal(mayBeThreadRoot(roomEvent({ content: relating({ rel_type: 'x', event_id: '$a' }) })).ok, false)
  })
})

describe('replacements', () => {
  const original: EventDraft = { eventId: '$o', content: { body: 'one' } }
  const edit: EventDraft = {
    eventId: '$e',
    content: relating({ rel_type: 'm.replace', event_id: '$o' }, { 'm.new_content': { body: 'two' } }),
  }
  const cases: readonly (readonly [string, EventDraft, EventDraft, boolean])[] = [
    ['new content by the same sender is valid', {}, {}, true],
    ['another sender is not', { sender: '@bob:x' }, {}, false],
    ['another room is not', { roomId: '!o:x' }, {}, false],
    ['another type is not', { type: 'm.sticker' }, {}, false],
    ['state is not', { stateKey: '' }, {}, false],
    ['state is not replaced', {}, { stateKey: '' }, false],
    ['a replacement is not replaced', {}, { content: relating({ rel_type: 'm.replace', event_id: '$x' }) }, false],
    ['a threaded event is replaced', {}, { content: relating({ rel_type: 'm.thread', event_id: '$x' }) }, true],
    [
      'without new content it is not valid',
      { content: relating({ rel_type: 'm.replace', event_id: '$o' }) },
      {},
      false,
    ],
    [
      'of an encrypted event only the relation is seen',
      { type: 'm.room.encrypted', content: relating({ rel_type: 'm.replace', event_id: '$o' }) },
      { type: 'm.room.encrypted' },
      true,
    ],
    ['a replacement of something else is not one of this', {}, { eventId: '$p' }, false],
    ['what does not relate is no replacement', { content: {} }, {}, false],
  ]
  for (const [name, e, o, expected] of cases) {
    test(name, () => {
      assert.equal(isValidEdit(roomEvent({ ...edit, ...e }), roomEvent({ ...original, ...o })).ok, expected)
    })
  }
  test('nothing replaces a redacted event', () => {
    assert.equal(isValidEdit(roomEvent(edit), roomEvent(original), true).ok, false)
  })
  test('the later replacement is newer, and of one time that with the larger ID', () => {
    const at = (originServerTs: number, eventId: string) => roomEvent({ originServerTs, eventId })
    assert.equal(isNewerEdit(at(2, '$a'), at(1, '$b')), true)
    assert.equal(isNewerEdit(at(1, '$b'), at(1, '$a')), true)
    assert.equal(isNewerEdit(at(1, '$a'), at(1, '$a')), false)
  })
})
