import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Administrator } from '#test/helpers/administrator.ts'
import { OLDEST_NATIVE, PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { isObject, type Json, type JsonObject } from '#util/json.ts'
import { Conversation } from './conversation.ts'
import type { Section, Step } from './page.ts'

type Block = Extract<Step, { kind: 'block' }>

/** Lets the role of the page in by its password. `listen` is the address, as `localhost` may be. */
const HBA = [
  'host all all 127.0.0.1/32 scram-sha-256',
  'host all all ::1/128 scram-sha-256',
  'local replication all trust',
]
/** As `initdb` and `postgresql.conf` have them, so that what the page says to set counts. */
const SETTINGS = { shared_buffers: undefined, max_connections: undefined }

/** Does what the page of PostgreSQL says, step by step, on a server that two people talk on. */
export class Reader implements AsyncDisposable {
  readonly #native: string
  readonly #page: readonly Section[]
  readonly #clusters: PostgresCluster[] = []
  #administrator: Administrator | undefined
  #conversation: Conversation | undefined

  constructor(native: string, page: readonly Section[]) {
    this.#native = native
    this.#page = page
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'by hand') await this.#byHand(step.what)
    else await this.#follow(step)
    await this.#check()
  }

  async #follow({ language, text }: Block): Promise<void> {
    if (language === 'sh') await this.#run(text)
    else if (language === 'yaml') this.#configure('homeserver.yaml', text)
    else if (language === 'ini') await this.#set(text)
    else if (language === 'conf') await this.#letIn(text)
    else assert.fail(`a block of '${language}' is neither run nor written anywhere`)
  }

  /** What the page has in prose, and how a server comes to be in the condition that a section speaks of. */
  async #byHand(what: string): Promise<void> {
    const actions: Readonly<Record<string, () => Promise<void>>> = {
      'an empty server of PostgreSQL': () => this.#begin('newest'),
      'a server on SQLite that people use': async () => {
        await this.#begin('newest')
        await this.#makeDatabase()
        await this.#startServer()
      },
      'the database section of homeserver-postgres.yaml': async () =>
        this.#configure('homeserver-postgres.yaml', this.#databaseSection()),
      'people go on meanwhile': () => this.#people.goOn(),
      'people go on on PostgreSQL': () => this.#people.goOn(),
      'a server whose database has another locale': () => this.#beginWithLocale('C.UTF-8'),
      'a server on an older PostgreSQL': async () => {
        await this.#begin('oldest')
        await this.#makeDatabase()
        this.#configure('homeserver.yaml', this.#databaseSection())
        await this.#startServer()
      },
      'PostgreSQL is a newer one': async () => {
        await this.#admin.cluster.stop()
        this.#admin.cluster = await this.#cluster('newest')
      },
      'a server on SQLite': async () => {
        await this.#begin('newest')
        await this.#startServer()
      },
    }
    const action = actions[what]
    assert.ok(action !== undefined, `nobody knows how to do this by hand: ${what}`)
    await action()
  }

  get #admin(): Administrator {
    assert.ok(this.#administrator !== undefined, 'a page begins with a server')
    return this.#administrator
  }

  get #people(): Conversation {
    assert.ok(this.#conversation !== undefined, 'a page begins with a server')
    return this.#conversation
  }

  /** Another server, that nobody has used, on SQLite, beside a PostgreSQL without anything of ours in it. */
  async #begin(age: Age): Promise<void> {
    await this.#administrator?.[Symbol.asyncDispose]()
    this.#administrator = await Administrator.begin(await this.#cluster(age))
    this.#conversation = new Conversation(this.#administrator)
  }

  async #cluster(age: Age): Promise<PostgresCluster> {
    for (const old of this.#clusters.splice(0)) await old[Symbol.asyncDispose]()
    const native = age === 'newest' ? this.#native : OLDEST_NATIVE
    const cluster = await PostgresCluster.start({ native, hba: HBA, settings: SETTINGS })
    this.#clusters.push(cluster)
    return cluster
  }

  async #beginWithLocale(locale: string): Promise<void> {
    await this.#begin('newest')
    await this.#run(this.#making().replaceAll('--locale=C', `--locale=${locale}`))
    this.#configure('homeserver.yaml', this.#databaseSection())
    const { code, err } = await this.#admin.try('synctl start')
    assert.equal(code, 1)
    assert.match(err, /has a wrong locale/)
  }

  async #startServer(): Promise<void> {
    await this.#admin.run('synctl start')
    await this.#people.goOn()
  }

  async #makeDatabase(): Promise<void> {
    await this.#run(this.#making())
  }

  #making(): string {
    return this.#blockWith('sh', 'createuser')
  }

  #databaseSection(): string {
    return this.#blockWith('yaml', 'psycopg2')
  }

  #blockWith(language: string, word: string): string {
    const found = this.#page
      .flatMap(({ steps }) => steps)
      .find((step): step is Block => step.kind === 'block' && step.language === language && step.text.includes(word))
    assert.ok(found !== undefined)
    return found.text
  }

  async #run(text: string): Promise<void> {
    const { password } = (parse(this.#databaseSection()) as { database: { args: { password: string } } }).database.args
    await this.#admin.run(text, text.includes('--pwprompt') ? [password, password] : [])
  }

  /** Puts a block into a configuration: another database replaces the one there, anything else is added to what is there. */
  #configure(file: string, text: string): void {
    const block = parse(text) as JsonObject
    const isAnother = isObject(block['database']) && block['database']['name'] !== undefined
    this.#admin.edit(file, (config) => (isAnother ? { ...config, ...block } : (added(config, block) as JsonObject)))
  }

  /** Puts settings into `postgresql.conf`; PostgreSQL must take all of them, and start with them. */
  async #set(text: string): Promise<void> {
    const { cluster } = this.#admin
    append(cluster, 'postgresql.conf', (before) => `${before}\n${text}\n`)
    await cluster.stop()
    await cluster.start()
    const faults = await cluster.sql('SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL')
    assert.deepEqual(faults, [])
    if (await this.#admin.isUp()) await this.#admin.run('synctl restart')
  }

  async #letIn(text: string): Promise<void> {
    const { cluster } = this.#admin
    append(cluster, 'pg_hba.conf', (before) => `${text}\n${before}`)
    const faults = await cluster.sql('SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL')
    assert.deepEqual(faults, [])
  }

  /** Whenever the server runs, it runs on what its configuration says, and nobody lost anything. */
  async #check(): Promise<void> {
    if (!(await this.#admin.isUp())) return
    const { database } = this.#admin.configuration() as { database: { name: string } }
    const [row] = await this.#admin.cluster.sql(
      "SELECT count(*)::int AS connections FROM pg_stat_activity WHERE usename = 'synapse_user' AND datname = 'synapse'",
    )
    assert.equal(Number(row?.['connections']) > 0, database.name === 'psycopg2', `it runs on ${database.name}`)
    await this.#people.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#administrator?.[Symbol.asyncDispose]()
    for (const cluster of this.#clusters) await cluster[Symbol.asyncDispose]()
  }
}

type Age = 'newest' | 'oldest'

const added = (to: Json | undefined, more: Json): Json => {
  if (!isObject(to) || !isObject(more)) return more
  return {
    ...to,
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, added(to[key], value as Json)])),
  }
}

function append(cluster: PostgresCluster, file: string, change: (before: string) => string): void {
  const path = join(cluster.data, file)
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}
