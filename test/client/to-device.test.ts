import assert from 'node:assert/strict'
import { logout } from '#api/client/logout.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { TestClient } from '#test/helpers/client.ts'
import { anotherDevice, syncFrom } from '#test/helpers/encryption.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import type { JsonObject } from '#util/json.ts'

type Messages = Record<string, Record<string, JsonObject>>
const sendTo = (client: TestClient, messages: Messages, { type = 'm.dummy', txnId = TestClient.txn() } = {}) =>
  client.call(sendToDevice, { params: { eventType: type, txnId }, body: { messages } })

type Synced = Awaited<ReturnType<typeof syncFrom>>
const contents = (answer: Synced): unknown[] => (answer.to_device?.events ?? []).map(({ content }) => content['n'])

const COUNT = row({ count: integer() })
const stored = async ({ services }: TestHomeserver): Promise<number | undefined> =>
  (await services.db.get(COUNT, sql`SELECT count(*) FROM to_device`))?.count

eachHomeserver('a message wakes the device it is for, and shows who sent what', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const phone = await anotherDevice(test, bob)
  const [{ next_batch: since }, { next_batch: phoneSince }] = [await syncFrom(bob), await syncFrom(phone)]
  const [waiting, other] = [syncFrom(bob, since, 30_000), syncFrom(phone, phoneSince, 300)]
  await sendTo(alice, { [bob.userId]: { [bob.deviceId]: { n: 1, '\0\ud800': '\0\udfff' } } }, { type: 't\0' })
  assert.deepEqual((await waiting).to_device?.events, [
    { type: 't\0', sender: alice.userId, content: { n: 1, '\0\ud800': '\0\udfff' } },
  ])
  assert.equal((await other).to_device, undefined)
})

eachHomeserver(
  '200 to-device messages read with repeated tokens come each in its place, once acknowledged',
  async (test) => {
    const [alice, bob] = [await test.register('alice'), await test.register('bob')]
    const { next_batch: start } = await syncFrom(bob)
    await Promise.all(Array.from({ length: 200 }, (_, n) => sendTo(alice, { [bob.userId]: { [bob.deviceId]: { n } } })))
    const first = await syncFrom(bob, start)
    assert.equal(contents(first).length, 100)
    // The same token gives the same messages, whatever happens in between.
    await sendTo(alice, { [bob.userId]: { [bob.deviceId]: { n: 200 } } })
    assert.deepEqual(contents(await syncFrom(bob, start)), contents(first))
    await test.restart()
    assert.equal(await stored(test), 201)
    assert.deepEqual(contents(await syncFrom(bob, start)), contents(first))
    const second = await syncFrom(bob, first.next_batch)
    assert.equal(contents(second).length, 100)
    const again = await syncFrom(bob, first.next_batch)
    assert.deepEqual(contents(again), contents(second))
    // What the first answer told is gone, as its token came back; what the second told is not.
    await test.restart()
    assert.equal(await stored(test), 101)
    assert.deepEqual(contents(await syncFrom(bob, start)), contents(second))
    const third = await syncFrom(bob, second.next_batch)
    assert.deepEqual(contents(third), [200])
    assert.deepEqual(contents(await syncFrom(bob, second.next_batch)), [200])
    assert.deepEqual(contents(await syncFrom(bob, third.next_batch)), [])
    await test.restart()
    assert.equal(await stored(test), 0)
    const all = [...contents(first), ...contents(second), ...contents(third)]
    assert.deepEqual(
      all.map(Number).sort((a, b) => a - b),
      Array.from({ length: 201 }, (_, n) => n),
    )
  },
)

eachHomeserver('a first sync tells what waits, and acknowledges nothing', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  await sendTo(alice, { [bob.userId]: { '*': { n: 1 } } })
  assert.deepEqual(contents(await syncFrom(bob)), [1])
  assert.deepEqual(contents(await syncFrom(bob)), [1])
  await test.restart()
  assert.equal(await stored(test), 1)
})

eachHomeserver('* is every device that is not named, and devices that are not there get nothing', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const phone = await anotherDevice(test, bob)
  const gone = await anotherDevice(test, bob, { deviceId: 'GONE' })
  await gone.call(logout)
  await sendTo(alice, {
    [bob.userId]: { '*': { n: 'all' }, [phone.deviceId]: { n: 'phone' }, GONE: { n: 'gone' } },
    [alice.userId]: { [alice.deviceId]: { n: 'own' }, [bob.deviceId]: { n: 'no' } },
    '@nobody:example.org': { '*': { n: 'nobody' } },
    '@carol:elsewhere.example': { '*': { n: 'far' } },
  })
  assert.deepEqual(contents(await syncFrom(bob)), ['all'])
  assert.deepEqual(contents(await syncFrom(phone)), ['phone'])
  assert.deepEqual(contents(await syncFrom(alice)), ['own'])
  assert.deepEqual(contents(await syncFrom(await anotherDevice(test, bob, { deviceId: 'GONE' }))), [])
})

eachHomeserver(
  'a transaction has its effect once, also when it comes twice at once or after a restart',
  async (test) => {
    const [alice, bob] = [await test.register('alice'), await test.register('bob')]
    const send = (n: number) => sendTo(alice, { [bob.userId]: { '*': { n } } }, { txnId: 'the same' })
    await Promise.all([send(1), send(1), send(1)])
    await send(2)
    await test.restart()
    await send(3)
    assert.deepEqual(contents(await syncFrom(bob)), [1])
    // Another type is another path, and another device has transactions of its own.
    await sendTo(alice, { [bob.userId]: { '*': { n: 4 } } }, { txnId: 'the same', type: 'other' })
    await sendTo(await anotherDevice(test, alice), { [bob.userId]: { '*': { n: 5 } } }, { txnId: 'the same' })
    assert.deepEqual(contents(await syncFrom(bob)), [1, 4, 5])
  },
)

eachHomeserver('messages go with the device', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const phone = await anotherDevice(test, bob, { deviceId: 'PHONE' })
  await sendTo(alice, { [bob.userId]: { PHONE: { n: 1 } } })
  await phone.call(logout)
  assert.equal(await stored(test), 0)
  await Promise.all([
    sendTo(alice, { [bob.userId]: { '*': { n: 2 } } }),
    (await anotherDevice(test, bob, { deviceId: 'PHONE' })).call(logout),
  ])
  assert.deepEqual(contents(await syncFrom(await anotherDevice(test, bob, { deviceId: 'PHONE' }))), [])
})

eachHomeserver('messages have bounds', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const refused = (type: string, messages: unknown) =>
    alice.refused(sendToDevice, { params: { eventType: type, txnId: TestClient.txn() }, body: { messages } as never })
  const large = await refused('m', { [bob.userId]: { '*': { n: 'x'.repeat(66_000) } } })
  assert.deepEqual([large.status, large.errcode], [413, 'M_TOO_LARGE'])
  assert.equal((await refused('m', { 'no user': { '*': {} } })).errcode, 'M_INVALID_PARAM')
  assert.equal((await refused('m', { [bob.userId]: { '*': 'text' } })).errcode, 'M_BAD_JSON')
  assert.equal((await refused('x'.repeat(256), {})).errcode, 'M_INVALID_PARAM')
  assert.equal((await refused('m', undefined)).errcode, 'M_MISSING_PARAM')
  assert.equal(await stored(test), 0)
})

eachHomeserver(
  "requests for keys of others beyond the limit are dropped, one's own devices are asked",
  async (test) => {
    const [alice, bob] = [await test.register('alice'), await test.register('bob')]
    const ask = (n: number, of: TestClient) =>
      sendTo(alice, { [of.userId]: { '*': { n } } }, { type: 'm.room_key_request' })
    for (const n of [1, 2, 3]) await ask(n, bob)
    await ask(4, alice)
    assert.deepEqual(contents(await syncFrom(bob)), [1, 2])
    assert.deepEqual(contents(await syncFrom(alice)), [4])
  },
  { config: 'rc_key_requests: { per_second: 0.001, burst_count: 2 }' },
)
