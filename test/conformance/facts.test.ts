import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as z from 'zod'
import { jsonObject, optional } from '#api/schema.ts'
import { checkResponse } from './facts.ts'
import { differences, shapeOfSchema } from './schema-shape.ts'
import type { Shape } from './shape.ts'

describe('an answer', () => {
  const timeline = (event: object) => ({
    next_batch: 's1',
    rooms: { join: { '!room:example.org': { timeline: { events: [event] } } } },
  })
  const event = { type: 'm.x', content: {}, event_id: '$e', sender: '@a:example.org', origin_server_ts: 1 }

  test('that is what the specification says violates nothing, and may have more fields', () => {
    assert.deepEqual(checkResponse('sync', 200, timeline(event)), [])
    assert.deepEqual(checkResponse('sync', 200, { ...timeline(event), 'org.example.more': 3 }), [])
    assert.deepEqual(checkResponse('logout', 200, {}), [])
  })

  test('lacks what is required, however deep', () => {
    assert.deepEqual(checkResponse('sync', 200, {}), ['the answer lacks next_batch'])
    const { sender: _, ...anonymous } = event
    assert.deepEqual(checkResponse('sync', 200, timeline(anonymous)), [
      'the answer.rooms.join.!room:example.org.timeline.events[0] lacks sender',
    ])
  })

  test('has values of the right types', () => {
    assert.deepEqual(checkResponse('getJoinedRooms', 200, { joined_rooms: ['!a:b', 3] }), [
      'the answer.joined_rooms[1] should be string, not number',
    ])
    assert.deepEqual(checkResponse('getJoinedRooms', 200, []), ['the answer should be object, not array'])
    assert.equal(checkResponse('sync', 200, timeline({ ...event, origin_server_ts: 1.5 })).length, 1)
    assert.equal(checkResponse('sync', 200, timeline({ ...event, state_key: null })).length, 1)
  })

  test('that is an error has a code', () => {
    assert.deepEqual(checkResponse('sync', 400, { errcode: 'M_UNKNOWN', error: 'x' }), [])
    assert.deepEqual(checkResponse('sync', 400, { error: 'x' }), ['the answer lacks errcode'])
    assert.deepEqual(checkResponse('sync', 204, {}), ['sync should not answer 204'])
    assert.deepEqual(checkResponse('noSuchThing', 200, {}), ['the specification has no operation noSuchThing'])
  })
})

describe('a schema of ours', () => {
  const fact: Shape = {
    type: 'object',
    fields: { id: { type: 'string' }, n: { type: 'integer' }, list: { type: 'array', items: { type: 'string' } } },
    required: ['id'],
  }
  const compare = (schema: z.ZodType, of: 'request' | 'response') =>
    differences(fact, shapeOfSchema(schema) ?? {}, { of, path: 'it' })
  const fields = { id: z.string(), n: z.int().optional(), list: z.array(z.string()).optional() }

  test('that says the same as the specification has no differences', () => {
    assert.deepEqual(compare(z.object(fields), 'response'), [])
    assert.deepEqual(compare(z.looseObject({ ...fields, n: optional(z.int()) }), 'request'), [])
    assert.deepEqual(compare(jsonObject, 'request'), [])
  })

  test('differs in fields, types and what is required', () => {
    assert.deepEqual(compare(z.object({ ...fields, n: z.string().optional() }), 'response'), [
      'it.n is integer, ours is string',
    ])
    assert.deepEqual(compare(z.object({ ...fields, list: z.array(z.int()).optional() }), 'response'), [
      'it.list[] is string, ours is integer',
    ])
    assert.deepEqual(compare(z.object({ id: z.string().optional(), n: fields.n, list: fields.list }), 'response'), [
      'it.id is optional in ours',
    ])
    assert.deepEqual(compare(z.object({ id: z.string(), n: fields.n }), 'response'), ['it.list is not in ours'])
    assert.deepEqual(compare(z.object({ ...fields, n: z.int() }), 'request'), ['it.n is required in ours only'])
    assert.equal(compare(jsonObject, 'response').length, 4)
    assert.equal(compare(z.array(z.string()), 'response').length, 1)
  })
})
