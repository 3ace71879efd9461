import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { anyJson, anyJsonObject } from '#protocol/event-builder.testing.ts'
import { readJson } from '#protocol/read-json.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { clientPieces, topLevelSlices } from './client-format.ts'

/** The client's form, put together as those do who serve it. */
const served = (pdu: JsonObject, redacts?: string): JsonObject => {
  const { head, tail } = clientPieces(canonicalJson(pdu), '$event', redacts)
  return JSON.parse(`{${head},"room_id":"!room:x",${tail}}`)
}
const message = { content: { body: 'x' }, origin_server_ts: 7, sender: '@alice:x', type: 'm.room.message' }

test('the fields of any object are found as they are printed', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), anyJson), (fields) => {
      const object: JsonObject = fields
      const expected = new Map(
        Object.keys(object).map((key) => [JSON.stringify(key).slice(1, -1), canonicalJson(object[key] as Json)]),
      )
      assert.deepEqual(topLevelSlices(canonicalJson(object)), expected)
    }),
  )
})

test('text that looks like the end of something does not end it', () => {
  const tricky = { a: '\\', b: '\\"', c: ',}]', d: { e: ['"}', '\\\\"'] }, f: [[], {}], g: -1, h: null }
  for (const [key, value] of Object.entries(tricky)) {
    assert.equal(topLevelSlices(canonicalJson(tricky)).get(key), canonicalJson(value))
  }
  assert.deepEqual(topLevelSlices('{}'), new Map())
})

test('numbers that JavaScript cannot hold stay as they are', () => {
  const read = readJson('{"a":1.50,"b":[9007199254740993],"c":1e400}')
  assert.ok(read.ok)
  assert.deepEqual([...topLevelSlices(canonicalJson(read.value)).values()], ['1.50', '[9007199254740993]', '1e400'])
})

test('a client gets what an event says, and nothing of what servers need', () => {
  const pdu = {
    ...message,
    auth_events: [],
    depth: 3,
    hashes: {},
    prev_events: [],
    signatures: {},
    unsigned: { age: 1 },
  }
  assert.deepEqual(served(pdu), { ...message, event_id: '$event', room_id: '!room:x' })
  assert.deepEqual(served({ ...pdu, state_key: '' })['state_key'], '')
  assert.deepEqual(served({ ...pdu, state_key: '"' })['state_key'], '"')
})

test('what a redaction names is given at the top and in the content', () => {
  const expected = { ...message, redacts: '$a', event_id: '$event', room_id: '!room:x' }
  for (const content of [{}, { redacts: '$a' }, { redacts: '$b' }, { redacts: { x: 1 } }]) {
    const pdu = { ...message, content, redacts: '$c' }
    assert.deepEqual(served(pdu, '$a'), { ...expected, content: { redacts: '$a' } })
  }
  const pdu = { ...message, content: { 'a"': 1, reason: 'x', redacts: '$b', z: [] } }
  assert.deepEqual(served(pdu, '$a'), { ...expected, content: { 'a"': 1, reason: 'x', redacts: '$a', z: [] } })
  assert.deepEqual(served({ ...message, redacts: '$c' }), { ...message, event_id: '$event', room_id: '!room:x' })
})

test('any event is cut into pieces that are JSON', () => {
  fc.assert(
    fc.property(anyJsonObject, anyJsonObject, fc.option(fc.string(), { nil: undefined }), (more, content, redacts) => {
      const event = served({ ...more, ...message, content }, redacts)
      assert.deepEqual(event['content'], redacts === undefined ? content : { ...content, redacts })
    }),
  )
})
