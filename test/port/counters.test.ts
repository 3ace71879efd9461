import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { env } from 'node:process'
import { test } from 'node:test'
import { type Place, postgresPlace, sqlitePlace, startHomeserver } from '#test/helpers/homeserver.ts'
import { onPostgres, onSqlite, runPort } from '#test/helpers/port.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: URI === undefined ? 'no PostgreSQL: run it by npm test' : false }
const HUGE = '9223372036854775807'

const uriOf = (place: Place): string => {
  const args = JSON.parse(/args: (\{.*\}) \}/.exec(place.database)?.[1] ?? '{}')
  return `postgres://${args.user}@${args.host}:${args.port}/${args.database}`
}
const fileOf = (place: Place): string => `${place.folder}/homeserver.db`

/** Counters that are behind, in rows that are otherwise as they were. */
const BEHIND = `
UPDATE numbers SET next = 1 WHERE name IN ('user', 'session');
DELETE FROM numbers WHERE name = 'room';
UPDATE deployment SET last_position = last_position - 3;
UPDATE rooms SET next_event = 2, next_state = 1, next_state_key = 0`

/** What nobody can mend who does not know how it came about; and what the report says of it. */
const UNKNOWN: readonly (readonly [string, RegExp])[] = [
  // The whole row of the room is an older one: its end too.
  [
    `UPDATE rooms SET next_event = 2, extremities = (SELECT prev_events FROM events ORDER BY event DESC LIMIT 1)`,
    /events with 2/,
  ],
  ['UPDATE rooms SET next_event = 2, current_state = 1', /events with 2[\s\S]*has state 1 as its current one/],
  [`UPDATE rooms SET next_state = ${HUGE}`, /a room has only numbers/],
  ['UPDATE deployment SET last_position = 1, ceiling = 2', /none above 2 can have been given/],
  [`UPDATE deployment SET last_position = ${HUGE}`, /is none that can have been given/],
  [`UPDATE numbers SET next = ${HUGE} WHERE name = 'user'`, /there are none above/],
]

/** A server with a room on a file, and ways from it to PostgreSQL and back. */
class Journey implements AsyncDisposable {
  readonly file = sqlitePlace()
  base: Awaited<ReturnType<typeof postgresPlace>> | undefined
  alice: Record<never, never> = {}
  roomId = ''

  static async begin(): Promise<Journey> {
    const journey = new Journey()
    journey.base = await postgresPlace(URI ?? '')
    await using server = await startHomeserver(journey.file)
    const alice = await server.register('alice')
    journey.alice = alice
    journey.roomId = await roomOf([alice])
    for (const text of ['one', 'two', 'three']) await say(alice, journey.roomId, text)
    return journey
  }

  get uri(): string {
    return uriOf(this.postgres)
  }

  get postgres(): Place {
    assert.ok(this.base)
    return this.base
  }

  port(direction: 'to postgres' | 'to sqlite', onlyVerify = false) {
    const sqlitePath = direction === 'to postgres' ? fileOf(this.file) : `${this.file.folder}/back.db`
    return runPort({ sqlitePath, uri: this.uri, direction, onlyVerify })
  }

  async damage(place: Place, sql: string): Promise<void> {
    if (place === this.file) onSqlite(fileOf(place), (db) => db.exec(sql))
    else await onPostgres(this.uri, sql)
  }

  /** Puts the file that came back in the place of the old one. */
  comeBack(): void {
    cpSync(`${this.file.folder}/back.db`, fileOf(this.file))
  }

  /** A server starts, and what is said comes after what was there. */
  async goesOn(place: Place): Promise<void> {
    await using server = await startHomeserver(place)
    const alice = server.stranger().with(this.alice as never)
    const before = await history(alice, this.roomId)
    const events = [await say(alice, this.roomId, 'and on'), await say(alice, this.roomId, 'and on')]
    assert.deepEqual(await history(alice, this.roomId), [...before, ...events])
    await server.register(`newcomer${before.length}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.base?.[Symbol.asyncDispose]()
    await this.file[Symbol.asyncDispose]()
  }
}

const WAYS = ['to postgres', 'to sqlite'] as const

test(
  'counters that are only behind are mended in the copy, in both directions, and a server goes on',
  options,
  async () => {
    await using journey = await Journey.begin()
    for (const direction of WAYS) {
      const [source, target] =
        direction === 'to postgres' ? [journey.file, journey.postgres] : [journey.postgres, journey.file]
      await journey.damage(source, BEHIND)
      const report = await journey.port(direction)
      assert.deepEqual(report.wrongCounters, [])
      assert.ok(report.isFinished)
      const said = report.mended.join('\n')
      for (const pattern of [
        /user numbers stands at 1,/,
        /session numbers/,
        /room numbers is missing/,
        /Positions go on/,
      ])
        assert.match(said, pattern)
      for (const noun of ['events with 2', 'states with 1', 'state keys with 0'])
        assert.match(said, new RegExp(`next ${noun}, but it has number \\d+ already\\. It goes on above that`))
      // The row of the room is another one now, and nothing else is; the copy itself has nothing wrong.
      const verified = await journey.port(direction, true)
      assert.deepEqual(verified.wrongCounters, [])
      const found = verified.tables.flatMap(({ differences }) => differences.items)
      assert.deepEqual(
        found.map(({ table, columns }) => [table, [...columns].sort()]),
        [['rooms', ['next_event', 'next_state', 'next_state_key']]],
      )
      if (direction === 'to sqlite') journey.comeBack()
      await journey.goesOn(target)
    }
  },
)

for (const direction of WAYS) {
  test(
    `a counter that nobody can safely mend leaves the port ${direction} unfinished, with SQL for the source`,
    options,
    async () => {
      await using journey = await Journey.begin()
      const toPostgres = direction === 'to postgres'
      if (!toPostgres) {
        assert.ok((await journey.port('to postgres')).isFinished)
        await journey.goesOn(journey.postgres)
      }
      const source = toPostgres ? journey.file : journey.postgres
      for (const [sql, pattern] of UNKNOWN) {
        await journey.damage(source, sql)
        const report = await journey.port(direction)
        assert.equal(report.isFinished, false, sql)
        assert.ok(report.isEqual)
        assert.deepEqual(report.mended, [])
        assert.match(report.wrongCounters.map(({ sentence }) => sentence).join('\n'), pattern)
        if (toPostgres) await assert.rejects(startHomeserver(journey.postgres), /was begun and did not finish/)
        await journey.damage(source, report.wrongCounters.flatMap((damage) => damage.sql).join(';\n'))
        // The end of the room stays the older one, which is for a person to judge; the counters are right.
        assert.ok((await journey.port(direction)).isFinished, sql)
      }
      if (!toPostgres) journey.comeBack()
      rmSync(`${journey.file.folder}/back.db`, { force: true })
      await using server = await startHomeserver(toPostgres ? journey.postgres : journey.file)
      assert.ok(server.url)
    },
  )
}

test(
  'verifying says what is wrong with counters of a copy, and of one that is not finished only that',
  options,
  async () => {
    await using journey = await Journey.begin()
    assert.ok((await journey.port('to postgres')).isFinished)
    await onPostgres(journey.uri, "UPDATE numbers SET next = 1 WHERE name = 'user'")
    const [wrong, ...others] = (await journey.port('to postgres', true)).wrongCounters
    assert.equal(wrong?.counter, 'numbers.user')
    assert.deepEqual(others, [])
    await journey.damage(journey.file, `UPDATE numbers SET next = ${HUGE} WHERE name = 'user'`)
    assert.equal((await journey.port('to postgres')).isFinished, false)
    await onPostgres(journey.uri, 'DELETE FROM deployment')
    const unfinished = await journey.port('to postgres', true)
    assert.deepEqual([unfinished.wrongCounters, unfinished.counters], [[], []])
  },
)

test(
  'the counters of both sides are told, and a copy whose counters are behind its source is not equal',
  options,
  async () => {
    await using journey = await Journey.begin()
    const standings = async (onlyVerify: boolean) => {
      const { counters, wrongCounters, isEqual } = await journey.port('to postgres', onlyVerify)
      assert.deepEqual([wrongCounters, isEqual], [[], true])
      return Object.fromEntries(counters.map(({ counter, standing }) => [counter, standing]))
    }
    const equal = await standings(false)
    assert.deepEqual(Object.keys(equal).slice(0, 3), ['incarnation', 'position', 'fingerprint key'])
    assert.ok(Object.keys(equal).includes('user') && Object.values(equal).every((standing) => standing === 'equal'))
    // Numbers and positions were given of which no row tells any more.
    for (const [sql, counter] of [
      ["UPDATE numbers SET next = next + 7 WHERE name = 'user'", 'user'],
      ['UPDATE deployment SET last_position = last_position + 7', 'position'],
      ['UPDATE deployment SET incarnation = incarnation + 1', 'incarnation'],
    ] as const) {
      await journey.damage(journey.file, sql)
      assert.deepEqual(await standings(true), { ...equal, [counter]: 'wrong' })
      assert.deepEqual(await standings(false), equal)
      await onPostgres(journey.uri, sql)
      assert.equal((await standings(true))[counter], 'ahead')
      await journey.damage(journey.file, sql)
      assert.deepEqual(await standings(true), equal)
    }
    await onPostgres(journey.uri, "UPDATE deployment SET fingerprint_key = decode(repeat('00', 32), 'hex')")
    assert.equal((await standings(true))['fingerprint key'], 'wrong')
  },
)

test('of a source that was not closed in order, positions go on above its ceiling in the copy', options, async () => {
  await using journey = await Journey.begin()
  assert.ok((await journey.port('to postgres')).isFinished)
  await onPostgres(
    journey.uri,
    "UPDATE deployment SET last_position = last_position - 1, closed_cleanly = false, started_at = 'before'",
  )
  const [source] = await onPostgres(journey.uri, 'SELECT ceiling FROM deployment')
  const report = await journey.port('to sqlite')
  assert.ok(report.isFinished)
  assert.match(report.mended.join(), /Positions go on above/)
  const copied = onSqlite(`${journey.file.folder}/back.db`, (db) => db.prepare('SELECT * FROM deployment').get())
  assert.ok(Number(copied?.['last_position']) >= Number(source?.['ceiling']))
  assert.ok(Number(copied?.['ceiling']) > Number(copied?.['last_position']))
  assert.equal(copied?.['closed_cleanly'], 1)
  journey.comeBack()
  await journey.goesOn(journey.file)
})
