import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '#util/random.ts'
import { FileStore } from './file-store.ts'

const storeIn = (context: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-media-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, store: new FileStore({ folder: join(folder, 'media'), random: systemRandom }) }
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

test('a file comes back as it was put, whole or in part, and only its owner may read it', async (context) => {
  const { folder, store } = storeIn(context)
  const stored = await store.put('abcdefgh', chunks('hello ', '', 'world'))
  assert.equal(stored.size, 11)
  assert.deepEqual(Buffer.from(stored.sha256), createHash('sha256').update('hello world').digest())
  const read = async (start: number, length: number) => {
    const stream = await store.get('abcdefgh', { start, length })
    return stream === undefined ? undefined : (await buffer(stream)).toString()
  }
  assert.equal(await read(0, 11), 'hello world')
  assert.equal(await read(4, 3), 'o w')
  assert.equal(await read(11, 0), '')
  assert.equal(await read(0, 12), undefined)
  const path = join(folder, 'media', 'files', 'ab', 'cd', 'efgh')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(join(folder, 'media', 'files', 'ab')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(folder, 'media', 'incoming')), [])
  truncateSync(path, 5)
  assert.equal(await read(0, 11), undefined)
  await store.remove('abcdefgh')
  await store.remove('abcdefgh')
  assert.equal(await read(0, 5), undefined)
})

test('an empty file is a file', async (context) => {
  const { store } = storeIn(context)
  assert.equal((await store.put('empty', chunks())).size, 0)
  const stream = await store.get('empty', { start: 0, length: 0 })
  assert.equal(stream === undefined ? undefined : (await buffer(stream)).length, 0)
  assert.equal(await store.get('other', { start: 0, length: 0 }), undefined)
})

test('what breaks off leaves nothing', async (context) => {
  const { folder, store } = storeIn(context)
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('some')
    throw new Error('it broke off')
  }
  await assert.rejects(store.put('abcdefgh', broken()), /it broke off/)
  assert.deepEqual(readdirSync(join(folder, 'media')), ['incoming'])
  assert.deepEqual(readdirSync(join(folder, 'media', 'incoming')), [])
})

test('no key leads out of the folder', async (context) => {
  const { folder, store } = storeIn(context)
  writeFileSync(join(folder, 'secret'), 'secret')
  const part = { start: 0, length: 1 }
  for (const key of [
    '../../secret',
    '..',
    'ab/cd',
    'abcd/../../../../secret',
    '%2e%2e%2fsecret',
    'ab\0cdef',
    'abcd',
    '',
  ]) {
    await assert.rejects(store.get(key, part), /no key/)
    await assert.rejects(store.put(key, chunks('x')), /no key/)
    await assert.rejects(store.remove(key), /no key/)
  }
  assert.equal(readFileSync(join(folder, 'secret'), 'utf8'), 'secret')
})

test('what began to come in an earlier life is swept away, what comes now is not', async (context) => {
  const { folder, store } = storeIn(context)
  assert.equal(await store.sweep(Number.MAX_SAFE_INTEGER), 0)
  await store.put('abcdefgh', chunks('x'))
  const incoming = join(folder, 'media', 'incoming')
  for (const name of ['old', 'new']) writeFileSync(join(incoming, name), 'x')
  utimesSync(join(incoming, 'old'), 1_000, 1_000)
  assert.equal(await store.sweep(2_000_000), 1)
  assert.deepEqual(readdirSync(incoming), ['new'])
  const whole = await store.get('abcdefgh', { start: 0, length: 1 })
  // Read to its end, which closes it.
  assert.equal(whole === undefined ? undefined : (await buffer(whole)).toString(), 'x')
})
