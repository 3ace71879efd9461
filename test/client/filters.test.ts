import assert from 'node:assert/strict'
import { defineFilter, getFilter } from '#api/client/filter.ts'
import { sync } from '#api/client/sync.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

eachHomeserver(
  'the same filter has the same ID, whenever and however often it comes',
  async ({ register, restart }) => {
    const alice = await register('alice')
    const bob = await register('bob')
    const params = { userId: alice.userId }
    const filter = { room: { timeline: { limit: 3, 'org.example.unknown': ['\0\ud800'] } }, event_fields: ['type'] }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => alice.call(defineFilter, { params, body: filter })),
    )
    assert.equal(new Set(answers.map(({ filter_id }) => filter_id)).size, 1)
    const filterId = answers[0]?.filter_id ?? ''
    await restart()
    const again = { event_fields: ['type'], room: { timeline: { 'org.example.unknown': ['\0\ud800'], limit: 3 } } }
    assert.equal((await alice.call(defineFilter, { params, body: again })).filter_id, filterId)
    assert.deepEqual(await alice.call(getFilter, { params: { ...params, filterId } }), filter)
    const other = await alice.call(defineFilter, { params, body: {} })
    assert.notEqual(other.filter_id, filterId)
    assert.deepEqual(await alice.call(getFilter, { params: { ...params, filterId: other.filter_id } }), {})
    const bobs = await bob.call(defineFilter, { params: { userId: bob.userId }, body: filter })
    assert.notEqual(bobs.filter_id, filterId)
  },
)

eachHomeserver('a filter that was kept is used by its ID', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  for (let n = 0; n < 5; n++) await say(alice, roomId, String(n))
  const { filter_id: filter } = await alice.call(defineFilter, {
    params: { userId: alice.userId },
    body: { room: { timeline: { limit: 2 } } },
  })
  const answer = await alice.call(sync, { query: { filter } })
  assert.equal(answer.rooms?.join?.[roomId]?.timeline?.events.length, 2)
})

eachHomeserver('filters are for nobody but their user, and what is no filter is refused', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const params = { userId: alice.userId }
  const { filter_id: filterId } = await alice.call(defineFilter, { params, body: {} })
  assert.equal((await bob.refused(getFilter, { params: { ...params, filterId } })).errcode, 'M_FORBIDDEN')
  assert.equal((await bob.refused(defineFilter, { params, body: {} })).errcode, 'M_FORBIDDEN')
  assert.equal((await bob.refused(getFilter, { params: { userId: bob.userId, filterId } })).errcode, 'M_NOT_FOUND')
  assert.equal((await bob.refused(sync, { query: { filter: filterId } })).errcode, 'M_NOT_FOUND')
  for (const unknown of ['9999999', 'x', '-1', '1e3', '9'.repeat(200), '\0']) {
    const refusal = await alice.refused(getFilter, { params: { ...params, filterId: unknown } })
    assert.deepEqual([refusal.status, refusal.errcode], [404, 'M_NOT_FOUND'], unknown)
  }
  for (const [body, errcode] of [
    [{ room: { timeline: { limit: -1 } } }, 'M_BAD_JSON'],
    [{ room: { timeline: { limit: 'ten' } } }, 'M_BAD_JSON'],
    [{ room: [] }, 'M_BAD_JSON'],
    [{ event_format: 'other' }, 'M_BAD_JSON'],
    [{ presence: { senders: ['no user'] } }, 'M_BAD_JSON'],
    [{ account_data: { types: Array.from({ length: 10_001 }, () => 'x') } }, 'M_BAD_JSON'],
    [{ 'org.example.large': 'x'.repeat(128 * 1024) }, 'M_TOO_LARGE'],
  ] as const) {
    assert.equal((await alice.refused(defineFilter, { params, body: body as never })).errcode, errcode)
  }
  assert.equal((await alice.refused(defineFilter, { params, raw: '[]' })).errcode, 'M_BAD_JSON')
  assert.equal((await alice.refused(defineFilter, { params, raw: '' })).errcode, 'M_NOT_JSON')
})
