import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isComplete, nextStages } from './flows.ts'

const flows = [
  ['foo', 'bar'],
  ['foo', 'baz'],
]

test('the stages of a flow come in its order', () => {
  assert.deepEqual([...nextStages(flows, [])], ['foo'])
  assert.deepEqual([...nextStages(flows, ['foo'])], ['bar', 'baz'])
  assert.deepEqual([...nextStages([['foo']], ['foo'])], [])
})

test('one flow is enough', () => {
  assert.equal(isComplete(flows, []), false)
  assert.equal(isComplete(flows, ['foo']), false)
  assert.equal(isComplete(flows, ['foo', 'baz']), true)
  assert.equal(isComplete([], ['foo']), false)
})
