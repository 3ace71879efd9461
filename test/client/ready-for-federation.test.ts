import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ban, unban } from '#api/client/banning.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { authEventKeys } from '#protocol/auth/auth-event-types.ts'
import type { AuthState } from '#protocol/auth/auth-state.ts'
import { authorize } from '#protocol/auth/authorize.ts'
import { checkAuthEvents } from '#protocol/auth/check-auth-events.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { anyJsonObject } from '#protocol/event-builder.testing.ts'
import { referenceTo } from '#protocol/events/event-id.ts'
import { readEvent } from '#protocol/events/format.ts'
import { hasValidContentHash } from '#protocol/events/hashes.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { verifyEvent } from '#protocol/events/signatures.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { readJson } from '#protocol/read-json.ts'
import { type RoomVersionRules, roomVersion, roomVersions } from '#protocol/room-versions.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import { row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, send, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'

const STORED = row({ eventId: text(), json: text() })

/** The events of a room in the order in which they were made, as another server would get them. */
async function storedEvents({ services }: TestHomeserver, roomId: string) {
  const view = await services.views.byId(roomId)
  return services.db.all(
    STORED,
    sql`SELECT ${STORED} FROM events AS e JOIN event_json AS j ON j.event = e.event WHERE e.room = ${view?.room ?? -1} ORDER BY e.event`,
  )
}

/** Everything that happens to rooms here: all types that the rules know, in a room that takes members of another one too. */
async function live(homeserver: TestHomeserver, version: string): Promise<string> {
  const [alice, bob, carol] = [
    await homeserver.register(`alice${version}`),
    await homeserver.register(`bob${version}`),
    await homeserver.register(`carol${version}`),
  ]
  const preset = 'trusted_private_chat'
  const club = await roomOf([alice, carol], { room_version: version })
  const roomId = await roomOf([alice, bob], { room_version: version, preset, name: 'R', topic: 'T' })
  const params = { roomId }
  const event = await say(bob, roomId, 'Hallo 😀', { '😀': { '\uffff': 1, a: [null, true, -7] } })
  const own = await say(alice, roomId, 'mine')
  for (const [by, eventId] of [
    [alice, event],
    [alice, own],
  ] as const) {
    const txnId = TestClient.txn()
    await by.call(redactEvent, { params: { roomId, eventId, txnId }, body: { reason: 'spam' } })
  }
  await setState(alice, roomId, { type: 'org.example.note', stateKey: alice.userId, content: { n: 1 } })
  const rule = Number(version) < 8 ? 'public' : 'restricted'
  const allow = [{ type: 'm.room_membership', room_id: club }]
  await setState(alice, roomId, { type: 'm.room.join_rules', content: { join_rule: rule, allow } })
  await carol.call(joinRoomById, { params })
  await carol.call(joinRoomById, { params })
  await say(carol, roomId, 'here')
  // The preset gave the invited user as much power as the creator; in version 12 both stand above the list.
  const founders = version === '12' ? {} : { [alice.userId]: 100, [bob.userId]: 100 }
  const users = { ...founders, [carol.userId]: 40 }
  const content = { users, events: { 'm.room.name': 40 }, notifications: { room: 30 }, invite: 10 }
  await setState(alice, roomId, { type: 'm.room.power_levels', content })
  await setState(carol, roomId, { type: 'm.room.name', content: { name: 'Ours' } })
  const target = { user_id: carol.userId as UserId }
  await alice.call(kick, { params, body: target })
  await alice.call(ban, { params, body: target })
  await alice.call(unban, { params, body: target })
  await alice.call(inviteUser, { params, body: target })
  await carol.call(leaveRoom, { params })
  await bob.call(leaveRoom, { params })
  return roomId
}

/** What another server holds of the room so far. */
type Held = {
  readonly state: Map<string, RoomEvent>
  readonly events: Map<string, RoomEvent>
  last: RoomEvent | undefined
}

const keyOf = (type: string, stateKey: string): string => `${type}\0${stateKey}`

/** The checks on receipt of a PDU, and that it was made as the specification says. https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu */
function receive(json: string, rules: RoomVersionRules, held: Held): RoomEvent {
  const read = readJson(json)
  assert.ok(read.ok)
  const event = readEvent(read.value, rules)
  assert.ok(!isRefusal(event), isRefusal(event) ? event.reason : '')
  assert.equal(canonicalJson(event.pdu), json)
  const key = makeSigningKey(new Uint8Array(32).fill(7), 'test') ?? assert.fail()
  const published = { ...key, validUntilTs: event.originServerTs, expiredTs: undefined }
  assert.deepEqual(
    verifyEvent(event, rules, (server, keyId) =>
      server === 'example.org' && keyId === key.keyId ? published : undefined,
    ),
    { ok: true },
  )
  assert.ok(hasValidContentHash(event.pdu))

  const { state, events, last } = held
  assert.deepEqual(event.pdu['prev_events'], last === undefined ? [] : [referenceTo(last, rules)])
  assert.equal(event.depth, (last?.depth ?? 0) + 1)
  const selected = authEventKeys(event, rules).map(([type, stateKey]) => state.get(keyOf(type, stateKey)))
  const expected = selected.filter((each) => each !== undefined)
  assert.deepEqual(
    event.pdu['auth_events'],
    expected.map((each) => referenceTo(each, rules)),
  )
  const cited = event.authEvents.map((eventId) => events.get(eventId) ?? assert.fail(eventId))
  assert.deepEqual(
    checkAuthEvents(
      event,
      cited.map((each) => ({ event: each, isRejected: false })),
      rules,
    ),
    { ok: true },
  )
  const create = state.get(keyOf('m.room.create', ''))
  const byAuthEvents: AuthState = {
    create,
    get: (type, stateKey) => cited.find((each) => each.type === type && each.stateKey === stateKey),
  }
  assert.deepEqual(authorize(event, byAuthEvents, rules), { ok: true })
  const before: AuthState = { create, get: (type, stateKey) => state.get(keyOf(type, stateKey)) }
  assert.deepEqual(authorize(event, before, rules), { ok: true })
  return event
}

/** Receives a room's events one by one, as a server that had them all from the first. */
async function receiveAll(homeserver: TestHomeserver, roomId: string, version: string): Promise<readonly RoomEvent[]> {
  const rules = roomVersion(version) ?? assert.fail()
  const held: Held = { state: new Map(), events: new Map(), last: undefined }
  for (const { eventId, json } of await storedEvents(homeserver, roomId)) {
    const event = receive(json, rules, held)
    assert.equal(event.eventId, eventId)
    assert.equal(event.roomId, roomId)
    held.events.set(eventId, event)
    held.last = event
    if (event.stateKey !== undefined) held.state.set(keyOf(event.type, event.stateKey), event)
  }
  return [...held.events.values()]
}

eachHomeserver('every event of a room is one that any other server accepts', async (homeserver) => {
  for (const version of roomVersions) {
    const events = await receiveAll(homeserver, await live(homeserver, version), version)
    assert.ok(events.length > 20, `only ${events.length} events in version ${version}`)
    const authorised = events.filter(({ content }) => 'join_authorised_via_users_server' in content)
    assert.equal(authorised.length, Number(version) < 8 ? 0 : 1)
  }
})

eachHomeserver('whatever a client sends is refused, or any other server accepts it', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const types = [
    'm.room.create',
    'm.room.member',
    'm.room.power_levels',
    'm.room.join_rules',
    'm.room.redaction',
    'm.room.aliases',
    'm.room.third_party_invite',
    'm.room.topic',
    'org.example.\ud83d\ude00',
  ]
  const key = fc.constantFrom(undefined, '', alice.userId, '@bob:elsewhere.org', 'example.org', '__proto__')
  const content = fc.oneof(
    anyJsonObject,
    fc.record(
      {
        membership: fc.constantFrom('join', 'leave', 'invite', 'ban', 'knock', 'x'),
        join_rule: fc.constantFrom('public', 'invite', 'restricted', 'x'),
        join_authorised_via_users_server: fc.constantFrom(alice.userId, '@bob:elsewhere.org', 7),
        third_party_invite: fc.constantFrom({}, { signed: { mxid: '@bob:elsewhere.org', token: 't' } }),
        redacts: fc.constantFrom('$x', 7),
        ban: fc.constantFrom(50, '50', 1.5, null),
        users: fc.constantFrom({}, { [alice.userId]: 100 }, { [alice.userId]: '100' }),
        big: fc.constantFrom(2 ** 53, 1e300, -0, 0.1, '\ud800'),
      },
      { requiredKeys: [] },
    ),
  )
  const wishes = fc.array(fc.record({ type: fc.constantFrom(...types), key, content }), {
    minLength: 25,
    maxLength: 25,
  })
  for (const version of ['1', '5', '6', '11', '12']) {
    for (const wished of fc.sample(wishes, 3)) {
      const roomId = await roomOf([alice], { room_version: version, preset: 'public_chat' })
      for (const { type, key: stateKey, content: wish } of wished) {
        const said = wish as JsonObject
        const sent =
          stateKey === undefined
            ? send(alice, roomId, type, said)
            : setState(alice, roomId, { type, stateKey, content: said })
        await sent.catch(({ status }) => assert.ok(status < 500, `${status} for ${type} ${JSON.stringify(wish)}`))
        // She may have left; where she cannot come back, the rest is refused.
        if (type === 'm.room.member') await alice.call(joinRoomById, { params: { roomId } }).catch(() => undefined)
      }
      const events = await receiveAll(homeserver, roomId, version)
      assert.ok(events.length >= 6, `only ${events.length} events in version ${version}`)
    }
  }
})
