import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import test from 'node:test'
import { readBody } from './body.ts'

const noTimer = () => () => {}

/** A request of which everything has come, in these pieces, before anybody reads. */
const whole = (pieces: readonly Buffer[]): IncomingMessage => {
  const request = new IncomingMessage(new Socket())
  for (const piece of [...pieces, null]) request.push(piece)
  request.complete = true
  return request
}

test('a body that came in several pieces before it is read is read whole', async () => {
  const pieces = [Buffer.alloc(65_485, 'a'), Buffer.alloc(115, 'b'), Buffer.from('c')]
  assert.deepEqual(await readBody(whole(pieces), 65_601, noTimer), Buffer.concat(pieces))
  await assert.rejects(readBody(whole(pieces), 65_600, noTimer), { errcode: 'M_TOO_LARGE' })
})

test('no body is an empty one', async () => {
  assert.equal((await readBody(whole([]), 10, noTimer)).length, 0)
})
