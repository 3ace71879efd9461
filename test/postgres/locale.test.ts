import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { systemClock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'

let cluster: PostgresCluster
before(async () => {
  cluster = await PostgresCluster.start()
})
after(() => cluster[Symbol.asyncDispose]())

/** Opens a database, and gives what it was refused for and what was warned of. */
async function opening(dbname: string, allowsUnsafeLocale = false): Promise<{ refused: string; warned: string }> {
  const warned: string[] = []
  const ignore = () => {}
  const log: Logger = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_, fields) => void warned.push(String(fields?.['warning'])),
  }
  const args = { host: cluster.sockets, port: String(cluster.port), user: 'postgres', dbname }
  try {
    const db = await openPostgres({
      parameters: connectionParameters(args, { postgres: {}, home: '/nonexistent' }),
      allowsUnsafeLocale,
      serverName: 'example.org',
      randomBytes,
      clock: systemClock,
      log,
    })
    await db[Symbol.asyncDispose]()
    return { refused: '', warned: warned.join('\n') }
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error), warned: warned.join('\n') }
  }
}

test('a database that orders text by the system is refused, new or not, unless that is allowed', async () => {
  await cluster.sql("CREATE DATABASE utf TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
  const pattern =
    /COLLATE is C\.UTF-8 and CTYPE is C\.UTF-8 instead of C\..*createdb --encoding=UTF8 --locale=C --template=template0.*allow_unsafe_locale: true/s
  assert.match((await opening('utf')).refused, pattern)
  const allowed = await opening('utf', true)
  assert.equal(allowed.refused, '')
  assert.match(allowed.warned, /wrong locale/)
  assert.match((await opening('utf')).refused, pattern)
})

test('the locales of ICU are refused, those of PostgreSQL itself are not', async () => {
  await cluster.sql(
    "CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'",
    "CREATE DATABASE own TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
  )
  assert.match((await opening('icu')).refused, /orders text by ICU \(locale en\) instead of C/)
  assert.deepEqual(await opening('own'), { refused: '', warned: '' })
})

test('an encoding that cannot hold all text is refused in any case', async () => {
  await cluster.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
  assert.match((await opening('latin', true)).refused, /encoding LATIN1; Myelin needs UTF8.*createdb/s)
})

test('a collation that changed under the database is told, with the commands that make it right', async () => {
  await cluster.sql(
    "CREATE DATABASE changed TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'",
    "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'changed'",
  )
  const { warned } = await opening('changed', true)
  assert.match(warned, /was version 1\.0 when it was made.*REINDEX DATABASE "changed".*REFRESH COLLATION VERSION/s)
})
