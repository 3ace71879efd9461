import assert from 'node:assert/strict'
import fc from 'fast-check'
import { claimKeys, uploadKeys } from '#api/client/keys.ts'
import { logout } from '#api/client/logout.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { anotherDevice, deviceKeysOf, oneTimeKeys, syncFrom } from '#test/helpers/encryption.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

const algorithm = 'signed_curve25519'
const upload = (client: TestClient, ...ids: readonly string[]) =>
  client.call(uploadKeys, { body: { one_time_keys: oneTimeKeys(...ids) } })

/** The ID of the key that a claim gives, if it gives one. */
const claim = async (client: TestClient, of: TestClient): Promise<string | undefined> => {
  const { one_time_keys } = await client.call(claimKeys, {
    body: { one_time_keys: { [of.userId]: { [of.deviceId]: algorithm } } },
  })
  const [name, ...more] = Object.keys(one_time_keys[of.userId]?.[of.deviceId] ?? {})
  assert.deepEqual(more, [])
  return name?.slice(algorithm.length + 1)
}

eachHomeserver('keys are given in the order of upload, then the fallback key, which is used then', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  assert.deepEqual(await upload(alice, 'z', 'y'), { one_time_key_counts: { [algorithm]: 2 } })
  assert.deepEqual(await upload(alice, 'a'), { one_time_key_counts: { [algorithm]: 3 } })
  const fallback = { [`${algorithm}:f`]: { key: 'key f', signatures: {}, fallback: true } }
  await alice.call(uploadKeys, { body: { fallback_keys: fallback } })
  const before = await syncFrom(alice)
  assert.deepEqual(before.device_one_time_keys_count, { [algorithm]: 3 })
  assert.deepEqual(before.device_unused_fallback_key_types, [algorithm])
  const given: (string | undefined)[] = []
  for (let n = 0; n < 5; n++) given.push(await claim(bob, alice))
  assert.deepEqual(
    [given.slice(0, 2).sort(), given.slice(2)],
    [
      ['y', 'z'],
      ['a', 'f', 'f'],
    ],
  )
  const after = await syncFrom(alice, before.next_batch)
  assert.deepEqual(after.device_one_time_keys_count, { [algorithm]: 0 })
  assert.deepEqual(after.device_unused_fallback_key_types, [])
  await test.restart()
  await alice.call(uploadKeys, { body: { fallback_keys: fallback } })
  assert.deepEqual((await syncFrom(alice)).device_unused_fallback_key_types, [])
  await alice.call(uploadKeys, { body: { fallback_keys: { [`${algorithm}:g`]: { key: 'g', signatures: {} } } } })
  assert.deepEqual((await syncFrom(alice)).device_unused_fallback_key_types, [algorithm])
  assert.equal(await claim(bob, alice), 'g')
})

eachHomeserver('fallback keys are taken and told under the names of the proposal too', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const told = async () => (await syncFrom(alice))['org.matrix.msc2732.device_unused_fallback_key_types']
  assert.deepEqual(await told(), [])
  const fallback = { [`${algorithm}:f`]: { key: 'key f', signatures: {}, fallback: true } }
  await alice.call(uploadKeys, { body: { 'org.matrix.msc2732.fallback_keys': fallback } })
  assert.deepEqual(await told(), [algorithm])
  assert.equal(await claim(bob, alice), 'f')
  assert.deepEqual(await told(), [])
})

eachHomeserver('whoever claims at once never gets the same key', async ({ register }) => {
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  await upload(alice, ...Array.from({ length: 20 }, (_, n) => `k${n}`))
  const given = await Promise.all(Array.from({ length: 25 }, (_, n) => claim(n % 2 === 0 ? bob : carol, alice)))
  const keys = given.filter((one) => one !== undefined)
  assert.equal(keys.length, 20)
  assert.equal(new Set(keys).size, 20)
})

eachHomeserver('keys of several users and devices are claimed at once; who has none is left out', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const [phone, laptop] = [await anotherDevice(test, alice), await anotherDevice(test, alice)]
  await upload(alice, 'a')
  await upload(phone, 'p')
  await upload(bob, 'b')
  await bob.call(uploadKeys, { body: { one_time_keys: { 'curve25519:c': 'plain' } } })
  const answer = await bob.call(claimKeys, {
    body: {
      one_time_keys: {
        [alice.userId]: {
          [alice.deviceId]: algorithm,
          [phone.deviceId]: algorithm,
          [laptop.deviceId]: algorithm,
          X: 'y',
        },
        [bob.userId]: { [bob.deviceId]: 'curve25519' },
        '@nobody:example.org': { X: algorithm },
        '@carol:elsewhere.example': { X: algorithm },
      },
    },
  })
  assert.deepEqual(answer.one_time_keys, {
    [alice.userId]: { [alice.deviceId]: oneTimeKeys('a'), [phone.deviceId]: oneTimeKeys('p') },
    [bob.userId]: { [bob.deviceId]: { 'curve25519:c': 'plain' } },
  })
  assert.deepEqual(Object.keys(answer.failures ?? {}), ['elsewhere.example'])
})

eachHomeserver('a key of an ID that is there is fine if it is the same, and refused if it is not', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  await upload(alice, 'a', 'b')
  assert.deepEqual(await upload(alice, 'a'), { one_time_key_counts: { [algorithm]: 2 } })
  const other = { ...oneTimeKeys('new'), [`${algorithm}:a`]: { key: 'another', signatures: {} } }
  const refused = await alice.refused(uploadKeys, { body: { one_time_keys: other } })
  assert.deepEqual([refused.status, refused.errcode], [400, 'M_UNKNOWN'])
  assert.match(
    String(refused.body['error']),
    /^One time key signed_curve25519:a already exists\. Old key: \{.*\}; new key: \{.*\}$/,
  )
  assert.deepEqual((await syncFrom(alice)).device_one_time_keys_count, { [algorithm]: 2 })
  // A client that did not hear of the answer repeats the upload; a key that was given meanwhile stays given.
  assert.equal(await claim(bob, alice), 'a')
  assert.deepEqual(await upload(alice, 'a', 'b'), { one_time_key_counts: { [algorithm]: 1 } })
  assert.deepEqual([await claim(bob, alice), await claim(bob, alice)], ['b', undefined])
})

eachHomeserver('of two different keys that come at once under one ID one is refused', async ({ register }) => {
  const alice = await register('alice')
  const answers = await Promise.all(
    ['1', '2'].map((key) =>
      alice.send(uploadKeys, { body: { one_time_keys: { [`${algorithm}:a`]: { key, signatures: {} } } } }),
    ),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400])
  const same = await Promise.all(['b', 'b', 'b'].map((id) => upload(alice, id)))
  assert.equal(same.at(-1)?.one_time_key_counts[algorithm], 2)
})

eachHomeserver('a claim wakes the device whose key it took, and no other', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const phone = await anotherDevice(test, alice)
  await upload(alice, 'a', 'b')
  const { next_batch: since } = await syncFrom(alice)
  const { next_batch: phoneSince } = await syncFrom(phone)
  const waiting = syncFrom(alice, since, 30_000)
  const others = syncFrom(phone, phoneSince, 300)
  await claim(bob, alice)
  assert.deepEqual((await waiting).device_one_time_keys_count, { [algorithm]: 1 })
  assert.deepEqual((await others).device_one_time_keys_count, { [algorithm]: 0 })
})

eachHomeserver('names and sizes of keys have bounds, and any text may stand in them', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const bad = async (one_time_keys: Record<string, unknown>) =>
    (await alice.refused(uploadKeys, { body: { one_time_keys } as never })).errcode
  assert.equal(await bad({ noColon: 'x' }), 'M_INVALID_PARAM')
  assert.equal(await bad({ 'a:': 'x' }), 'M_INVALID_PARAM')
  assert.equal(await bad({ ':a': 'x' }), 'M_INVALID_PARAM')
  assert.equal(await bad({ [`a:${'x'.repeat(256)}`]: 'x' }), 'M_INVALID_PARAM')
  assert.equal(await bad({ 'a:b': 'x'.repeat(9_000) }), 'M_TOO_LARGE')
  assert.equal(await bad({ 'a:b': 7 }), 'M_BAD_JSON')
  assert.equal(await bad({ 'a:b': { key: 'no signatures' } }), 'M_MISSING_PARAM')
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`a:${n}`, 'x']))
  assert.equal(await bad(many), 'M_TOO_LARGE')
  delete many['a:0']
  await alice.call(uploadKeys, { body: { one_time_keys: many } })
  assert.equal(await bad({ 'a:one more': 'x' }), 'M_TOO_LARGE')
  const odd = { 'al\0\ud800:key\0\udfff:x': { key: '\0\ud800', signatures: { '\0': {} } } }
  await bob.call(uploadKeys, { body: { one_time_keys: odd } })
  const claimed = await alice.call(claimKeys, {
    body: { one_time_keys: { [bob.userId]: { [bob.deviceId]: 'al\0\ud800' } } },
  })
  assert.deepEqual(claimed.one_time_keys, { [bob.userId]: { [bob.deviceId]: odd } })
  const algorithms = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`D${n}`, `a${n}`]))
  const refused = await alice.refused(claimKeys, { body: { one_time_keys: { [bob.userId]: algorithms } } })
  assert.equal(refused.errcode, 'M_INVALID_PARAM')
})

eachHomeserver('keys go with the device, and with another identity of it', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const phone = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  await upload(phone, 'a')
  await phone.call(logout)
  const again = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  assert.equal(await claim(bob, again), undefined)
  assert.deepEqual((await syncFrom(again)).device_one_time_keys_count, { [algorithm]: 0 })

  await again.call(uploadKeys, {
    body: { device_keys: deviceKeysOf(again).keys, one_time_keys: oneTimeKeys('a', 'b') },
  })
  const [name, key] = [`${algorithm}:a`, { key: 'of the new identity', signatures: {} }]
  const body = { device_keys: deviceKeysOf(again).keys, one_time_keys: { [name]: key } }
  assert.deepEqual(await again.call(uploadKeys, { body }), { one_time_key_counts: { [algorithm]: 1 } })
})

eachHomeserver('a device that is logged out while it uploads leaves nothing behind', async (test) => {
  const alice = await test.register('alice')
  const phone = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  await Promise.all([phone.send(uploadKeys, { body: { one_time_keys: oneTimeKeys('a') } }), phone.call(logout)])
  const again = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  assert.equal(await claim(alice, again), undefined)
})

type Step = { readonly kind: 'upload' | 'repeat' | 'claim'; readonly count: number; readonly isAtOnce: boolean }
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('upload' as const, 'repeat' as const, 'claim' as const, 'claim' as const),
    count: fc.integer({ min: 1, max: 6 }),
    isAtOnce: fc.boolean(),
  }),
  { minLength: 1, maxLength: 15 },
)

/** Uploads, repeats uploads and claims as the steps say, some of it at once; every key must be given once or be left. */
async function play(device: TestClient, claimers: readonly TestClient[], plan: readonly Step[]) {
  const uploaded: string[] = []
  const given: string[] = []
  let last: string[] = []
  let running: Promise<unknown>[] = []
  for (const { kind, count, isAtOnce } of plan) {
    if (!isAtOnce) await Promise.all(running.splice(0))
    if (kind === 'claim') {
      for (let n = 0; n < count; n++) {
        const claimer = claimers[n % claimers.length] as TestClient
        running.push(claim(claimer, device).then((id) => void (id !== undefined && given.push(id))))
      }
      continue
    }
    // A client has one upload under way at a time.
    if (kind === 'upload') last = Array.from({ length: count }, (_, n) => `${uploaded.length + n}`)
    if (kind === 'upload') uploaded.push(...last)
    const before = running
    const done = upload(device, ...last)
    running = [...before, done]
    await done
  }
  await Promise.all(running)
  for (let id = await claim(claimers[0] as TestClient, device); id !== undefined; ) {
    given.push(id)
    id = await claim(claimers[0] as TestClient, device)
  }
  assert.deepEqual(given.sort(), uploaded.sort())
  await device.call(logout)
}

eachHomeserver('over any interleaving of uploads and claims no key is given twice and none is lost', async (test) => {
  const alice = await test.register('alice')
  const claimers = [await test.register('bob'), await test.register('carol')]
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => play(await anotherDevice(test, alice), claimers, plan)),
    { numRuns: 25 },
  )
})
