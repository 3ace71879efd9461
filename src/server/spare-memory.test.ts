import assert from 'node:assert/strict'
import test from 'node:test'
import { SpareMemory } from './spare-memory.ts'

/** Time that goes on by looks. */
function looks(heap: { utilization: number; spareMegabytes: number; keptMegabytes: number }) {
  let now = 1_000_000
  let task: (() => void) | undefined
  let given = 0
  const clock = {
    now: () => now,
    after: (delayMs: number, next: () => void) => {
      task = () => {
        now += delayMs
        next()
      }
      return () => {
        task = undefined
      }
    },
  }
  const memory = new SpareMemory(
    {
      utilization: () => heap.utilization,
      bytes: () => ({ kept: heap.keptMegabytes * 1024 * 1024, spare: heap.spareMegabytes * 1024 * 1024 }),
      giveBack: () => {
        given++
      },
    },
    clock,
  )
  const givenAfter = (times: number) => {
    given = 0
    for (let n = 0; n < times; n++) task?.()
    return given
  }
  return { memory, givenAfter }
}

test('memory is given back once there is quiet, and not again at once', () => {
  const heap = { utilization: 0.8, spareMegabytes: 200, keptMegabytes: 100 }
  const { memory, givenAfter } = looks(heap)
  assert.equal(givenAfter(100), 0, 'nobody is held up while there is work')
  heap.utilization = 0.01
  assert.equal(givenAfter(2), 1)
  assert.equal(givenAfter(20), 0)
  assert.equal(givenAfter(20), 1, 'a minute later it may be again')
  memory[Symbol.dispose]()
  assert.equal(givenAfter(100), 0)
})

test('a little is not worth a pause', () => {
  assert.equal(looks({ utilization: 0, spareMegabytes: 7, keptMegabytes: 20 }).givenAfter(100), 0)
  assert.equal(looks({ utilization: 0, spareMegabytes: 10, keptMegabytes: 20 }).givenAfter(10), 1)
  assert.equal(looks({ utilization: 0, spareMegabytes: 10, keptMegabytes: 100 }).givenAfter(100), 0)
})
