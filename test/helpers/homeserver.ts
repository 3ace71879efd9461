import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { loadConfigText } from '#config/load.ts'
import type { Module } from '#modules/registry.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import { Homeserver, type Services } from '#server/homeserver.ts'
import { openDatabase } from '#server/open-database.ts'
import type { Reservation } from '#services/reservations.ts'
import { postgresPlace as freshDatabase } from '#storage/testing/each-database.ts'
import { type Clock, systemClock } from '#util/clock.ts'
import { silentLogger } from '#util/logger.ts'
import { systemRandom } from '#util/random.ts'
import { TestClient } from './client.ts'

/** A homeserver of a test's own, on a port of its own. */
export type TestHomeserver = AsyncDisposable & {
  readonly url: string
  readonly services: Services
  readonly serverName: string
  /** Registers a user by the shared secret and gives a client that is logged in. */
  readonly register: (name: string, options?: { readonly admin?: boolean }) => Promise<TestClient>
  /** A client that is not logged in. */
  readonly stranger: () => TestClient
  /** Stops the server and starts it again on the same data. */
  readonly restart: () => Promise<void>
}

/** What a test may choose. */
export type TestOptions = {
  /** YAML that is added to the configuration. */
  readonly config?: string
  readonly clock?: Clock
  readonly modules?: readonly Module[]
  readonly reservations?: readonly Reservation[]
  readonly serverName?: string
}

/** Where a homeserver keeps its data. */
export type Place = AsyncDisposable & { readonly kind: string; readonly database: string; readonly folder: string }

const SECRET = 'shared secret of the tests'

/** Runs the test on a fresh homeserver on each database. */
export const eachHomeserver = (
  name: string,
  body: (homeserver: TestHomeserver) => Promise<void>,
  options: TestOptions = {},
): void => {
  for (const [kind, open] of places()) {
    test(`${name} (${kind})`, { skip: open === undefined ? 'no PostgreSQL: run it by npm test' : false }, async () => {
      if (open === undefined) return
      await using place = await open()
      await using homeserver = await startHomeserver(place, options)
      await body(homeserver)
    })
  }
}

/** The databases that are there, and how to get a fresh one. */
export const places = (): readonly (readonly [string, (() => Promise<Place>) | undefined])[] => {
  const uri = env['MYELIN_TEST_POSTGRES']
  return [
    ['SQLite', async () => sqlitePlace()],
    ['PostgreSQL', uri === undefined ? undefined : () => postgresPlace(uri)],
  ]
}

/** A place on SQLite. */
export const sqlitePlace = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
  return {
    kind: 'SQLite',
    folder,
    database: `database: { name: sqlite3, args: { database: "${folder}/homeserver.db" } }`,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A place on the PostgreSQL server that `uri` names. */
export const postgresPlace = async (uri: string): Promise<Place> => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
  const fresh = await freshDatabase('PostgreSQL', uri)
  const { hostname, port, username, password, pathname } = new URL(fresh.uri)
  const args = {
    host: hostname,
    port: Number(port),
    user: username,
    ...(password === '' ? {} : { password }),
    database: pathname.slice(1),
  }
  return {
    kind: 'PostgreSQL',
    folder,
    database: `database: { name: psycopg2, args: ${JSON.stringify(args)} }`,
    [Symbol.asyncDispose]: async () => {
      await fresh[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Limits that no test reaches unless it means to. */
const GENEROUS = [
  'message',
  'registration',
  'registration_token_validity',
  'joins_per_room',
  'room_creation',
  'key_requests',
  'admin_redaction',
  'reports',
]
  .map((name) => `rc_${name}: { per_second: 10000, burst_count: 10000 }`)
  .join('\n')
const GENEROUS_GROUPS = `
rc_login: { address: { per_second: 10000, burst_count: 10000 }, account: { per_second: 10000, burst_count: 10000 }, failed_attempts: { per_second: 10000, burst_count: 10000 } }
rc_joins: { local: { per_second: 10000, burst_count: 10000 }, remote: { per_second: 10000, burst_count: 10000 } }
rc_invites: { per_room: { per_second: 10000, burst_count: 10000 }, per_user: { per_second: 10000, burst_count: 10000 }, per_issuer: { per_second: 10000, burst_count: 10000 } }`

/** Starts a homeserver at a place. */
export const startHomeserver = async (place: Place, options: TestOptions = {}): Promise<TestHomeserver> => {
  const serverName = options.serverName ?? 'example.org'
  const yaml = `
server_name: ${serverName}
listeners: [{ port: 0, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client, federation, media, keys, health] }] }]
registration_shared_secret: ${SECRET}
bcrypt_rounds: 4
media_store_path: ${place.folder}/media
signing_key_path: ${place.folder}/signing.key
${place.database}
${GENEROUS}
${GENEROUS_GROUPS}
${options.config ?? ''}
`
  const loaded = loadConfigText(yaml)
  if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
  const clock = options.clock ?? systemClock
  const signingKey = makeSigningKey(new Uint8Array(32).fill(7), 'test')
  if (signingKey === undefined) throw new Error('the key of the tests is no key')
  const start = async () => {
    const database = await openDatabase(loaded.config, { clock, random: systemRandom })
    return Homeserver.start({
      config: loaded.config,
      database,
      signingKey,
      clock,
      random: systemRandom,
      log: silentLogger,
      modules: options.modules ?? [],
      reservations: options.reservations ?? [],
    })
  }
  let server = await start()
  const stranger = () => new TestClient({ url: () => server.urls[0] ?? '', serverName })
  return {
    get url() {
      return server.urls[0] ?? ''
    },
    get services() {
      return server.services
    },
    serverName,
    stranger,
    register: (name, { admin = false } = {}) => stranger().registerBySecret(name, { secret: SECRET, admin }),
    restart: async () => {
      await server[Symbol.asyncDispose]()
      server = await start()
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
