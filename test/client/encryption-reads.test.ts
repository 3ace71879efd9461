import assert from 'node:assert/strict'
import type { Database } from '#storage/database.ts'
import { publishCrossSigning, publishDevice, syncFrom } from '#test/helpers/encryption.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

/** The texts of the queries that are run from now on. */
const readsOf = (db: Database): string[] => {
  const reads: string[] = []
  const [all, get]: [Database['all'], Database['get']] = [db.all.bind(db), db.get.bind(db)]
  const noted: Pick<Database, 'all' | 'get'> = {
    all: (codec, query) => {
      reads.push(query.strings.join('?'))
      return all(codec, query)
    },
    get: (codec, query) => {
      reads.push(query.strings.join('?'))
      return get(codec, query)
    },
  }
  Object.assign(db, noted)
  return reads
}

const OF_ENCRYPTION =
  /\b(log|devices|to_device|device_keys|device_list_changes|one_time_keys|one_time_key_changes|fallback_keys|cross_signing_keys|key_signatures)\b/

eachHomeserver('a sync that wakes for a message reads nothing of encryption from the database', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const roomId = await roomOf([alice, bob])
  for (const client of [alice, bob]) {
    await publishDevice(client)
    await publishCrossSigning(client)
  }
  let { next_batch: since } = await syncFrom(bob, (await syncFrom(bob)).next_batch)
  const reads = readsOf(test.services.database)
  for (let n = 0; n < 3; n++) {
    const waiting = syncFrom(bob, since, 30_000)
    await say(alice, roomId, `message ${n}`)
    const answer = await waiting
    assert.equal(answer.rooms?.join?.[roomId]?.timeline?.events?.length, 1)
    assert.deepEqual(answer.device_one_time_keys_count, { signed_curve25519: 0 })
    since = answer.next_batch
  }
  assert.deepEqual(
    reads.filter((text) => OF_ENCRYPTION.test(text)),
    [],
  )
})
