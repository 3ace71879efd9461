import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Requester } from '#api/requester.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { silentLogger } from '#util/logger.ts'
import { ManualClock } from '#util/manual-clock.testing.ts'
import { refused, type Verdict } from '#util/verdict.ts'
import type { HookCallback } from './hooks.ts'
import { Hooks } from './registry.ts'
import { mannerOf, shadow, softFail } from './verdicts.ts'

const alice = { userId: '@alice:example.org' } as unknown as Requester
const room = '!room:example.org' as RoomId

const askAll = (callbacks: readonly HookCallback<'userMayJoinRoom'>[], clock = new ManualClock()) => {
  const modules = callbacks.map((userMayJoinRoom, n) => ({ name: `module ${n}`, callbacks: { userMayJoinRoom } }))
  return new Hooks({ modules, clock, log: silentLogger }).ask('userMayJoinRoom', alice, room, true)
}

test('without modules everything is allowed', async () => {
  assert.deepEqual(await askAll([]), { ok: true })
  const hooks = new Hooks({ modules: [{ name: 'mute', callbacks: {} }], clock: new ManualClock(), log: silentLogger })
  assert.deepEqual(await hooks.ask('userMayJoinRoom', alice, room, false), { ok: true })
})

test('modules are asked in order until one objects', async () => {
  const asked: string[] = []
  const says = (name: string, answer: Verdict | undefined) => async () => {
    asked.push(name)
    return answer
  }
  const no = refused('b', 'no')
  assert.deepEqual(await askAll([says('a', { ok: true }), says('b', no), says('c', { ok: true })]), no)
  assert.deepEqual(asked, ['a', 'b'])
  assert.deepEqual(await askAll([says('d', undefined)]), { ok: true })
})

test('a module that fails or does not answer in time has nothing to say, and the next one is asked', async () => {
  const no = refused('last', 'no')
  const fails = () => {
    throw new Error('broken')
  }
  assert.deepEqual(await askAll([fails, async () => fails(), () => no]), no)
  const clock = new ManualClock()
  const verdict = askAll([() => new Promise(() => {}), () => no], clock)
  await new Promise(setImmediate)
  clock.advance(5_000)
  assert.deepEqual(await verdict, no)
})

test('an objection says how it is to be taken', () => {
  assert.deepEqual([refused('x', 'no'), shadow, softFail].map(mannerOf), ['reject', 'shadow', 'soft_fail'])
})
