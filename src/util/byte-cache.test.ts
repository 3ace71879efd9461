import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Budget, ByteCache } from './byte-cache.ts'

const OWN_BYTES = 150
const cacheOf = (budget: Budget) => new ByteCache<number, number>({ budget, sizeOf: (value) => value })

test('the entry used longest ago makes room, in whichever cache it is', () => {
  const budget = new Budget(3 * (OWN_BYTES + 10))
  const [one, other] = [cacheOf(budget), cacheOf(budget)]
  one.set(1, 10)
  other.set(1, 10)
  one.set(2, 10)
  assert.equal(one.get(1), 10)
  one.set(3, 10)
  assert.equal(other.get(1), undefined)
  assert.equal(one.get(2), 10)
  assert.deepEqual(other.counts, { entries: 0, bytes: 0, hits: 0, misses: 1, evictions: 1 })
  assert.deepEqual(one.counts, { entries: 3, bytes: 480, hits: 2, misses: 0, evictions: 0 })
})

test('what is larger than the whole budget is not kept', () => {
  const budget = new Budget(1000)
  const cache = cacheOf(budget)
  cache.set(1, 5000)
  assert.equal(cache.get(1), undefined)
  assert.equal(budget.bytes, 0)
})

test('a smaller budget evicts at once, and a disposed cache gives its bytes back', () => {
  const budget = new Budget(10_000)
  using other = cacheOf(budget)
  {
    using cache = cacheOf(budget)
    for (let key = 0; key < 10; key++) cache.set(key, 100)
    budget.resize(1000)
    assert.equal(cache.counts.entries, 4)
    assert.equal(budget.bytes, 1000)
  }
  assert.equal(budget.bytes, 0)
  assert.equal(other.counts.entries, 0)
})

test('two caches behave as a list ordered by use would', () => {
  const step = fc.record({
    cache: fc.integer({ min: 0, max: 1 }),
    action: fc.constantFrom('get', 'set', 'delete', 'clear', 'set', 'set'),
    key: fc.integer({ min: 0, max: 12 }),
    value: fc.integer({ min: 0, max: 900 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const budget = new Budget(2500)
      const caches = [cacheOf(budget), cacheOf(budget)]
      let model: { cache: number; key: number; value: number }[] = []
      const total = () => model.reduce((sum, { value }) => sum + value + OWN_BYTES, 0)
      for (const { cache, action, key, value } of steps) {
        const real = caches[cache] as ByteCache<number, number>
        const found = model.find((one) => one.cache === cache && one.key === key)
        if (action !== 'clear') model = model.filter((one) => one !== found)
        if (action === 'get') {
          assert.equal(real.get(key), found?.value)
          if (found !== undefined) model.push(found)
        } else if (action === 'set') {
          real.set(key, value)
          model.push({ cache, key, value })
          while (total() > 2500) model.shift()
        } else if (action === 'delete') assert.equal(real.delete(key), found !== undefined)
        else {
          real.clear()
          model = model.filter((one) => one.cache !== cache)
        }
        assert.equal(budget.bytes, total())
        caches.forEach((one, index) => {
          const own = model.filter((entry) => entry.cache === index)
          assert.equal(one.counts.entries, own.length)
          assert.equal(
            one.counts.bytes,
            own.reduce((sum, entry) => sum + entry.value + OWN_BYTES, 0),
          )
        })
      }
    }),
  )
})
