import assert from 'node:assert/strict'
import { ban, unban } from '#api/client/banning.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { getMembersByRoom, getOneRoomEvent, getRoomStateWithKey } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, say, setState } from '#test/helpers/rooms.ts'
import { get } from '#util/json.ts'

const outcome = ({ status, errcode }: { readonly status: number; readonly errcode: string }) => `${status} ${errcode}`

eachHomeserver('an event that one may not see is as one that is not there', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice])
  const eventId = await say(alice, roomId, 'secret')
  for (const params of [
    { roomId, eventId },
    { roomId, eventId: '$nothing' },
    { roomId: '!nowhere:example.org', eventId },
  ]) {
    assert.equal(outcome(await bob.refused(getOneRoomEvent, { params })), '404 M_NOT_FOUND')
    assert.equal(outcome(await bob.refused(getEventContext, { params })), '403 M_FORBIDDEN')
  }
  const context = await alice.refused(getEventContext, { params: { roomId, eventId: '$nothing' } })
  assert.equal(outcome(context), '404 M_NOT_FOUND')
})

eachHomeserver('who was in a room sees it as it was then, whatever happened to them since', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob], { name: 'Before' })
  const params = { roomId }
  const body = { user_id: bob.userId as UserId }
  const before = await say(alice, roomId, 'before')
  const name = () =>
    bob.call(getRoomStateWithKey, { params: { roomId, eventType: 'm.room.name', stateKey: '' } }) as Promise<unknown>
  const check = async () => {
    const seen = await history(bob, roomId)
    assert.ok(seen.includes(before))
    assert.equal(seen.includes(after), false)
    assert.deepEqual(await name(), { name: 'Before' })
    const event = await bob.refused(getOneRoomEvent, { params: { roomId, eventId: after } })
    assert.equal(outcome(event), '404 M_NOT_FOUND')
  }
  await alice.call(kick, { params, body })
  await setState(alice, roomId, { type: 'm.room.name', content: { name: 'After' } })
  const after = await say(alice, roomId, 'after')
  await check()
  await alice.call(ban, { params, body })
  await check()
  await alice.call(unban, { params, body })
  await check()
  await alice.call(inviteUser, { params, body })
  await bob.call(leaveRoom, { params })
  await check()
  await alice.call(inviteUser, { params, body })
  await bob.call(joinRoomById, { params })
  assert.ok((await history(bob, roomId)).includes(after))
  assert.deepEqual(await name(), { name: 'After' })
})

eachHomeserver('members are told as they are asked for', async ({ register }) => {
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  const roomId = await roomOf([alice, bob], { preset: 'public_chat' })
  const { next_batch: at } = await alice.call(sync)
  const page = await alice.call(getRoomEvents, { params: { roomId }, query: { dir: 'f', limit: '2' } })
  await alice.call(ban, { params: { roomId }, body: { user_id: carol.userId as UserId } })
  await bob.call(leaveRoom, { params: { roomId } })
  const members = async (query: Record<string, string>) => {
    const { chunk = [] } = await alice.call(getMembersByRoom, { params: { roomId }, query })
    return chunk.map(({ state_key, content }) => `${state_key} ${content['membership']}`).toSorted()
  }
  const [isIn, isBanned, hasLeft] = [`${alice.userId} join`, `${carol.userId} ban`, `${bob.userId} leave`]
  assert.deepEqual(await members({}), [isIn, hasLeft, isBanned])
  assert.deepEqual(await members({ membership: 'join' }), [isIn])
  assert.deepEqual(await members({ not_membership: 'join' }), [hasLeft, isBanned])
  assert.deepEqual(await members({ membership: 'ban', not_membership: 'leave' }), [isIn, isBanned])
  assert.deepEqual(await members({ membership: 'leave', not_membership: 'leave' }), [isIn, hasLeft, isBanned])
  assert.deepEqual(await members({ at }), [isIn, `${bob.userId} join`])
  assert.deepEqual(await members({ at: page.end ?? '' }), [isIn])
  const odd = await alice.refused(getMembersByRoom, { params: { roomId }, query: { membership: 'friend' } })
  assert.equal(outcome(odd), '400 M_INVALID_PARAM')
  const strange = await alice.refused(getMembersByRoom, { params: { roomId }, query: { at: 's1' } })
  assert.equal(outcome(strange), '400 M_INVALID_PARAM')
})

eachHomeserver('a page of nothing says where to go on, and a context obeys its filter', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice], { name: 'Nerve' })
  const eventId = await say(alice, roomId, 'hi')
  for (const dir of ['b', 'f'] as const) {
    const nothing = await alice.call(getRoomEvents, { params: { roomId }, query: { dir, limit: '0' } })
    assert.deepEqual([nothing.chunk, nothing.end], [[], nothing.start])
    const from = nothing.end ?? ''
    const all = await alice.call(getRoomEvents, { params: { roomId }, query: { dir, from, limit: '100' } })
    assert.ok(all.chunk.some(({ event_id }) => event_id === eventId))
    assert.equal(all.end, undefined)
  }
  const around = await contextOf(alice, { roomId, eventId }, { types: ['m.room.name'] })
  assert.deepEqual([around.events, around.state], [['m.room.name'], ['m.room.name']])
  assert.equal(around.event, eventId)
})

eachHomeserver('the latest event of a thread comes with what was said of it', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob])
  const root = await say(alice, roomId, 'root')
  await say(bob, roomId, 'first', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const latest = await say(bob, roomId, 'latest', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const edit = await say(bob, roomId, '* last', {
    'm.new_content': { msgtype: 'm.text', body: 'last' },
    'm.relates_to': { rel_type: 'm.replace', event_id: latest },
  })
  const reference = await say(alice, roomId, 'see', { 'm.relates_to': { rel_type: 'm.reference', event_id: latest } })
  const { unsigned } = await alice.call(getOneRoomEvent, { params: { roomId, eventId: root } })
  const thread = get(unsigned?.['m.relations'], 'm.thread')
  assert.equal(get(thread, 'count'), 2)
  const shown = get(thread, 'latest_event')
  const relations = get(get(shown, 'unsigned'), 'm.relations')
  assert.equal(get(shown, 'event_id'), latest)
  assert.equal(get(get(relations, 'm.replace'), 'event_id'), edit)
  assert.deepEqual(get(relations, 'm.reference'), { chunk: [{ event_id: reference }] })
})

const contextOf = async (client: TestClient, params: Record<string, string>, filter: object) => {
  const query = { limit: '50', filter: JSON.stringify(filter) }
  const {
    event,
    events_before = [],
    events_after = [],
    state = [],
  } = await client.call(getEventContext, { params, query })
  return {
    event: event?.event_id,
    events: [...events_before, ...events_after].map(({ type }) => type),
    state: state.map(({ type }) => type),
  }
}
