import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfigText } from '#config/load.ts'
import { formatNotice, formatProblem } from '#config/problem.ts'

const SERVER = 'server_name: example.org\n'
const DATABASE = 'database: {name: sqlite3, args: {database: homeserver.db}}\n'
const LISTENERS = 'listeners: [{port: 8008, type: http}]\n'

const configOf = (text: string) => {
  const loaded = loadConfigText(text)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return loaded.config
}
const sentencesOf = (text: string): readonly string[] => {
  const loaded = loadConfigText(text)
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(/^[^ ]+ /, ''))
}
const noticesOf = (text: string): readonly string[] =>
  loadConfigText(text).notices.map((notice) => formatNotice(notice).replace(/^[^ ]+ /, ''))

const store = (database: string) => `${SERVER}${LISTENERS}${database}\n`

test('a database of SQLite is a file', () => {
  const mainOf = (text: string) => configOf(store(text)).database.main
  const sqlite = (path: string, synchronous = 'full') => ({ engine: 'sqlite', path, synchronous })
  assert.deepEqual(mainOf('database: {args: {database: a.db}}'), sqlite('/a.db'))
  assert.deepEqual(mainOf('database: {name: sqlite3, args: {database: ":memory:"}}'), sqlite(':memory:'))
  assert.deepEqual(mainOf('database: {args: {database: /a.db}, synchronous: normal}'), sqlite('/a.db', 'normal'))
  assert.deepEqual(mainOf('database_path: a.db'), sqlite('/a.db'))
})

test('what libpq understands reaches the database of PostgreSQL as it stands', () => {
  const text = `database:
  name: psycopg2
  txn_limit: 10000
  allow_unsafe_locale: true
  args:
    user: synapse_user
    password: secretpassword
    dbname: synapse
    host: localhost
    port: 5432
    keepalives_idle: 10
    service:
    cp_min: 2
    cp_max: 20
    cp_reconnect: true
`
  assert.deepEqual(configOf(store(text)).database.main, {
    engine: 'postgres',
    args: {
      user: 'synapse_user',
      password: 'secretpassword',
      dbname: 'synapse',
      host: 'localhost',
      port: '5432',
      keepalives_idle: '10',
    },
    pool: { min: 2, max: 20 },
    allowsUnsafeLocale: true,
    isCommitSynchronous: true,
    statementTimeoutMs: 600_000,
    maxTransactionsPerConnection: 10_000,
  })
  assert.deepEqual(noticesOf(store(text)), [
    'database.args.cp_reconnect: Does not apply: a lost connection is always made anew.',
  ])
})

test('the time of a statement can be without limit', () => {
  const main = configOf(store('database: {name: psycopg2, statement_timeout: null}')).database.main
  assert.ok(main.engine === 'postgres')
  assert.equal(main.statementTimeoutMs, undefined)
  assert.deepEqual(main.pool, { min: 5, max: 10 })
})

test('a database that cannot be is refused', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['database: {name: mysql}', 'database.name: Expected one of sqlite3, psycopg2, psycopg, and got "mysql".'],
    [
      'database: {name: sqlite3}',
      'database.args.database: Expected the path of a file that SQLite keeps the database in.',
    ],
    [
      'database: {name: psycopg2, args: {cp_mx: 3}}',
      'database.args.cp_mx: There is no such option. Did you mean cp_max?',
    ],
    [
      'database: {name: psycopg2, args: {cp_min: 9, cp_max: 3}}',
      'database.args.cp_min: Expected at most cp_max, which is 3, and got 9.',
    ],
    [
      'database: {name: psycopg2, args: {keepalive_idle: 10}}',
      'database.args.keepalive_idle: There is no connection parameter keepalive_idle. Did you mean keepalives_idle?',
    ],
    [
      'database: {name: psycopg2, args: {gssencmode: require}}',
      'database.args.gssencmode: Myelin does not encrypt by GSSAPI; use sslmode=verify-full instead.',
    ],
    [
      'database: {name: psycopg2, args: {cursor_factory: x}}',
      'database.args.cursor_factory: It is a setting of the Python driver, not of the connection.',
    ],
    [
      'databases: {a: {name: psycopg2, args: {dbname: x}, data_stores: [main]}, b: {name: psycopg2, args: {dbname: y}, data_stores: [state]}}',
      'databases: These are different databases. Myelin keeps everything in one; bring a split server over with the port from Synapse, and give one database.',
    ],
    [
      'database: {name: psycopg2, args: {host: [a, b]}}',
      'database.args.host: Expected one text, number or boolean for a connection parameter.',
    ],
  ]
  for (const [text, sentence] of cases) assert.deepEqual(sentencesOf(store(text)), [sentence])
})

test('of several databases the one that holds main is used', () => {
  const one = (stores: string) => `{name: psycopg2, args: {dbname: x}, data_stores: ${stores}}`
  const text = store(`databases: {a: ${one('[state]')}, b: ${one('[main]')}}`)
  const { main, split } = configOf(text).database
  assert.equal(main, split[1]?.database)
  assert.deepEqual(
    split.map(({ label, stores }) => [label, ...stores]),
    [
      ['a', 'state'],
      ['b', 'main'],
    ],
  )
  assert.equal(noticesOf(text).length, 0)
  assert.deepEqual(sentencesOf(store(`databases: {a: ${one('[main]')}}`)), [
    'databases: Expected state in exactly one database, and got it in 0.',
  ])
  assert.equal(sentencesOf(store(`${DATABASE}databases: {a: ${one('[main, state]')}}`)).length, 1)
})
