import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  currentStateAdded,
  currentStateAt,
  currentStateRemoved,
  findState,
  fingerprintKey,
  keysOfNoMembers,
  stateAdded,
  stateFingerprint,
  stateKeyAdded,
  stateKeysByName,
  stateKeysByNumber,
  stateKeysFrom,
  stateRows,
  statesBelow,
} from './states.ts'

const bytes = (fill: number, length = 16): Uint8Array => new Uint8Array(length).fill(fill)
const state = (room: number, n: number, fill: number, isFindable: boolean) => ({
  state: roomKey(room, n),
  fingerprint: bytes(fill),
  findable: isFindable ? bytes(fill) : undefined,
  nodes: bytes(n, 3),
})

eachDatabase('states are found by number, by page and by fingerprint, each within its room', async ({ db, commit }) => {
  const change = new Change()
  for (const room of [1, 2, 2 ** 25 - 1]) {
    for (const n of [1, 2, 3, 2 ** 28 - 1]) change.write(stateAdded, state(room, n, n === 3 ? 3 : 8, n !== 2))
  }
  assert.ok((await commit(change)).ok)
  const rows = await stateRows(db, 2, [1, 3, 77])
  assert.deepEqual([...rows.keys()].sort(), [1, 3])
  assert.deepEqual([...(rows.get(3) ?? [])], [3, 3, 3])
  const page = await statesBelow(db, 2 ** 25 - 1, { below: 2 ** 28, limit: 2 })
  assert.deepEqual(
    page.map(({ state: n }) => n),
    [2 ** 28 - 1, 3],
  )
  assert.deepEqual(
    (await statesBelow(db, 2, { below: 3, limit: 9 })).map(({ state: n }) => n),
    [2, 1],
  )
  assert.equal(await findState(db, 2, bytes(3)), 3)
  assert.equal(await findState(db, 2, bytes(8)), 1)
  assert.equal(await findState(db, 3, bytes(8)), undefined)
  assert.deepEqual([...((await stateFingerprint(db, 1, 2)) ?? [])], [...bytes(8)])
  assert.equal(await stateFingerprint(db, 1, 4), undefined)
  assert.equal((await fingerprintKey(db)).length, 32)
})

eachDatabase('state keys are found by name and by number', async ({ db, commit }) => {
  const change = new Change()
  const names = ['', '@a:b', '@\0\ud800:c']
  for (const room of [1, 2]) {
    names.forEach((stateKey, n) => {
      change.write(stateKeyAdded, { key: roomKey(room, n), room, type: 'm.room.member', stateKey })
    })
    change.write(stateKeyAdded, { key: roomKey(room, 3), room, type: 'm.room.name', stateKey: '' })
  }
  assert.ok((await commit(change)).ok)
  const found = await stateKeysByName(db, 2, { type: 'm.room.member', stateKeys: ['@\0\ud800:c', '', '@other:x'] })
  assert.deepEqual(found.map(({ key }) => key).sort(), [roomKey(2, 0), roomKey(2, 2)])
  const numbered = await stateKeysByNumber(db, 1, [2, 9])
  assert.deepEqual(numbered, [{ key: roomKey(1, 2), room: 1, type: 'm.room.member', stateKey: '@\0\ud800:c' }])
  const later = await stateKeysFrom(db, 1, { from: 1, limit: 2 })
  assert.deepEqual(
    later.map(({ key }) => key),
    [1, 2].map((n) => roomKey(1, n)),
  )
  assert.equal((await stateKeysFrom(db, 2, { from: 2, limit: 100 })).length, 2)
  assert.deepEqual(await keysOfNoMembers(db, 2), [3])
})

eachDatabase('what the current state was is known back to the position that was kept', async ({ db, commit }) => {
  const positions: number[] = []
  for (const n of [1, 2, 3]) {
    const change = new Change()
    change.write(currentStateAdded, { room: 5, pos: change.log({ kind: LOG_KIND.event, room: 5 }), state: n })
    change.write(currentStateAdded, { room: 6, pos: change.log({ kind: LOG_KIND.event, room: 6 }), state: n + 10 })
    const outcome = await commit(change)
    positions.push(outcome.ok ? outcome.firstPosition : 0)
  }
  const [first = 0, second = 0, third = 0] = positions
  const at = (pos: number) => currentStateAt(db, 5, pos)
  assert.deepEqual(await Promise.all([first - 1, first, second - 1, second, third, third + 99].map(at)), [
    undefined,
    1,
    1,
    2,
    3,
    3,
  ])
  const [one, other] = [new Change(), new Change()]
  one.write(currentStateRemoved, { room: 5, upTo: third - 1 })
  other.write(currentStateRemoved, { room: 5, upTo: first })
  await Promise.all([commit(one), commit(other)])
  assert.deepEqual(await Promise.all([first, second, third].map(at)), [undefined, 2, 3])
  assert.equal(await currentStateAt(db, 6, first + 1), 11)
})
