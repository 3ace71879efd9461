import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedMutex } from './keyed-mutex.ts'

test('work of one key runs in turn, work of another key beside it', async () => {
  const mutex = new KeyedMutex<string>()
  const seen: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const first = mutex.run('a', async () => {
    await held
    seen.push('a1')
    throw new Error('it failed')
  })
  const second = mutex.run('a', async () => seen.push('a2'))
  await mutex.run('b', async () => seen.push('b'))
  release()
  await assert.rejects(first, /it failed/)
  await second
  await mutex.run('a', async () => seen.push('a3'))
  assert.deepEqual(seen, ['b', 'a1', 'a2', 'a3'])
})
