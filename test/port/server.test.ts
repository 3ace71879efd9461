import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { env } from 'node:process'
import { test } from 'node:test'
import { getRoomKeyBySessionId, postRoomKeysVersion, putRoomKeyBySessionId } from '#api/client/key-backup.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { sync } from '#api/client/sync.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { TestClient } from '#test/helpers/client.ts'
import { type Place, postgresPlace, sqlitePlace, startHomeserver } from '#test/helpers/homeserver.ts'
import { onPostgres, onSqlite, runPort } from '#test/helpers/port.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: URI === undefined ? 'no PostgreSQL: run it by npm test' : false }

/** The address of the database that a place is in. */
const uriOf = (place: Place): string => {
  const args = JSON.parse(/args: (\{.*\}) \}/.exec(place.database)?.[1] ?? '{}')
  return `postgres://${args.user}@${args.host}:${args.port}/${args.database}`
}
const fileOf = (place: Place): string => `${place.folder}/homeserver.db`
const sessionKey = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { c: 'secret' } }

test(
  'clients go on with their tokens after a port there and back, and miss nothing and see nothing twice',
  options,
  async () => {
    await using file = sqlitePlace()
    await using base = await postgresPlace(URI ?? '')
    let roomId = ''
    let since = ''
    let version = ''
    const keyAt = () => ({ params: { roomId, sessionId: 's' }, query: { version } })
    let [alice, bob] = [{}, {}] as [TestClient, TestClient]
    {
      await using server = await startHomeserver(file)
      alice = await server.register('alice')
      bob = await server.register('bob')
      roomId = await roomOf([alice, bob])
      version = (
        await alice.call(postRoomKeysVersion, {
          body: { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} },
        })
      ).version
      await alice.call(putRoomKeyBySessionId, { ...keyAt(), body: sessionKey })
      since = (await bob.call(sync)).next_batch
    }
    assert.ok((await runPort({ sqlitePath: fileOf(file), uri: uriOf(base) })).isFinished)
    // The first phase is over; the conversation goes on on SQLite.
    let [unread, read] = ['', '']
    {
      await using server = await startHomeserver(file)
      alice = server.stranger().with(alice as never)
      read = await say(alice, roomId, 'read \0 \ufffe')
      await alice.call(postReceipt, { params: { roomId, receiptType: 'm.read', eventId: read }, body: {} })
      unread = await say(alice, roomId, 'unread')
      await alice.call(sendToDevice, {
        params: { eventType: 'm.test', txnId: TestClient.txn() },
        body: { messages: { [bob.userId]: { [bob.deviceId]: { hello: 1 } } } },
      })
    }
    assert.ok((await runPort({ sqlitePath: fileOf(file), uri: uriOf(base) })).isFinished)
    const all: string[] = []
    for (const [place, next] of [
      [base, file],
      [file, undefined],
    ] as const) {
      {
        await using server = await startHomeserver(place)
        const who = server.stranger().with(bob as never)
        assert.equal((await who.call(getTokenOwner)).user_id, bob.userId)
        const answer = await who.call(sync, { query: { since } })
        const timeline = answer.rooms?.join?.[roomId]?.timeline
        const seen = timeline?.events?.map(({ event_id: id }) => id)
        assert.deepEqual(seen, place === base ? [read, unread] : [all.at(-1)])
        assert.notEqual(timeline?.limited, true)
        assert.deepEqual(answer.to_device?.events?.map(({ type }) => type) ?? [], place === base ? ['m.test'] : [])
        since = answer.next_batch
        const owner = server.stranger().with(alice as never)
        const key = await owner.call(getRoomKeyBySessionId, keyAt())
        assert.deepEqual(key.session_data, sessionKey.session_data)
        all.push(await say(owner, roomId, 'after the port'))
        assert.deepEqual((await history(who, roomId)).slice(-2 - all.length), [read, unread, ...all])
      }
      if (next === undefined) break
      await assert.rejects(
        runPort({ sqlitePath: fileOf(next), uri: uriOf(place) }),
        /A server of example\.org has run on the database to copy into/,
      )
      // Back into a new file, in the old one's place.
      const back = `${next.folder}/back.db`
      const report = await runPort({ sqlitePath: back, uri: uriOf(place), direction: 'to sqlite' })
      assert.ok(report.isFinished)
      cpSync(back, fileOf(next))
    }
  },
)

test(
  'a file that a running server holds is copied as it was at one moment; a last run brings the rest',
  options,
  async () => {
    await using file = sqlitePlace()
    await using base = await postgresPlace(URI ?? '')
    const notes: string[] = []
    const go = () =>
      runPort({
        sqlitePath: fileOf(file),
        uri: uriOf(base),
        on: (event) => event.kind === 'note' && notes.push(event.text),
      })
    {
      await using server = await startHomeserver(file)
      const alice = await server.register('alice')
      const roomId = await roomOf([alice])
      let isOver = false
      const talking = (async () => {
        while (!isOver) await say(alice, roomId, 'on and on')
      })()
      try {
        for (let run = 0; run < 5; run++) assert.ok((await go()).isFinished)
      } finally {
        isOver = true
        await talking
      }
      // Every event has its JSON: it was one state of the file.
      const torn = await onPostgres(
        uriOf(base),
        'SELECT 1 FROM events AS e FULL JOIN event_json AS j USING (event) WHERE e.room IS NULL OR j.json IS NULL',
      )
      assert.equal(torn.length, 0)
    }
    assert.match(notes.join('\n'), /A server is running on the source.*run this once more/)
    notes.length = 0
    assert.ok((await go()).isFinished)
    assert.deepEqual(notes, [])
    const events = onSqlite(fileOf(file), (db) => Number(db.prepare('SELECT count(*) AS n FROM events').get()?.['n']))
    const [copied] = await onPostgres(uriOf(base), 'SELECT count(*)::int AS n FROM events')
    assert.equal(copied?.['n'], events)
  },
)

test(
  'a server refuses to start on a database that a port has not finished, and the next run finishes it',
  options,
  async () => {
    await using file = sqlitePlace()
    await using base = await postgresPlace(URI ?? '')
    {
      await using server = await startHomeserver(file)
      await roomOf([await server.register('alice')])
    }
    const stop = new Error('stopped half way')
    const halfWay = runPort({
      sqlitePath: fileOf(file),
      uri: uriOf(base),
      on: (event) => {
        if (event.kind === 'counted') throw stop
      },
    })
    await assert.rejects(halfWay, stop)
    await assert.rejects(
      startHomeserver(base),
      /A port into this database was begun and did not finish. Run synapse_port_db again/,
    )
    assert.ok((await runPort({ sqlitePath: fileOf(file), uri: uriOf(base) })).isFinished)
    await using server = await startHomeserver(base)
    assert.ok(server.url)
    await assert.rejects(
      runPort({ sqlitePath: fileOf(file), uri: uriOf(base) }),
      /A server of example\.org is running on the database to copy into/,
    )
  },
)
