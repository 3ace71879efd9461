import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownPaths } from './known-paths.ts'

const templateOf = knownPaths([
  '/health',
  '/rooms/{roomId}/state',
  '/rooms/{roomId}/state/{eventType}',
  '/rooms/{roomId}/join',
])

test('a path is known by its template, whatever stands for the parameters', () => {
  assert.equal(templateOf('/health'), '/health')
  assert.equal(templateOf('/rooms/!a:b/state'), '/rooms/{roomId}/state')
  assert.equal(templateOf('/rooms/!a%2Fb/state/'), '/rooms/{roomId}/state/{eventType}')
})

test('a path is known in every spelling that percent signs allow', () => {
  assert.equal(templateOf('/he%61lth'), '/health')
  assert.equal(templateOf('/rooms/x/j%6Fin'), '/rooms/{roomId}/join')
})

test('a path is unknown that is longer, shorter or spelt otherwise, or no UTF-8', () => {
  for (const path of ['/', '', '/health/', '/Health', '/rooms/x', '/rooms/x/leave', '/rooms/%FF/state', '/health%']) {
    assert.equal(templateOf(path), undefined)
  }
})
