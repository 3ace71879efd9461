import type { Batch, BatchResult } from '#storage/change.ts'
import type { Database, Outage } from '#storage/database.ts'
import type { RowCodec } from '#storage/row.ts'
import type { Query } from '#storage/sql.ts'
import { CONDITIONS, OPERATIONS } from '#storage/stores/all.ts'
import { type Clock, steadyClock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import { type Logger, silentLogger } from '#util/logger.ts'
import { checkRights, toldOfRights } from './check-rights.ts'
import { checkServer } from './checks.ts'
import { commitFunction } from './commit-function.ts'
import type { Connection } from './connection.ts'
import { Link } from './link.ts'
import { PostgresReader } from './reader.ts'
import { migratePostgres, startPostgresDeployment } from './schema.ts'
import { PostgresWriter } from './writer.ts'

/** What opening a PostgreSQL database takes. What is left out is as in the configuration by default. */
export type PostgresOptions = {
  readonly parameters: ConnectionParameters
  /** The least and the most connections. */
  readonly pool?: { readonly min: number; readonly max: number }
  readonly statementTimeoutMs?: number | undefined
  readonly isCommitSynchronous?: boolean
  /** Transactions after which a connection is made anew; 0 for never. */
  readonly maxTransactions?: number
  readonly allowsUnsafeLocale?: boolean
  readonly serverName: string
  readonly randomBytes: (size: number) => Uint8Array
  readonly clock: Clock
  readonly log?: Logger
}

/** Connects, checks the server, brings the schema up to date and puts the commit function in place. */
export const openPostgres = async (options: PostgresOptions): Promise<Database> => {
  const log = options.log ?? silentLogger
  const link = new Link({
    parameters: options.parameters,
    pool: options.pool ?? { min: 5, max: 10 },
    statementTimeoutMs: options.statementTimeoutMs,
    isCommitSynchronous: options.isCommitSynchronous ?? true,
    maxTransactions: options.maxTransactions ?? 0,
    clock: steadyClock,
    log,
  })
  const connection = await link.connectAtStart()
  try {
    return await prepared(connection, { link, options, log })
  } catch (error) {
    throw toldOfRights(error)
  } finally {
    await link.end(connection)
  }
}

type Prepare = { readonly link: Link; readonly options: PostgresOptions; readonly log: Logger }

async function prepared({ client }: Connection, { link, options, log }: Prepare): Promise<Database> {
  const declared = { operations: OPERATIONS, conditions: CONDITIONS }
  const commits = commitFunction(declared)
  const { version, warnings } = await checkServer(client, options.allowsUnsafeLocale === true)
  for (const warning of warnings) log.warn('postgres_warning', { warning })
  await checkRights(client)
  await migratePostgres(client)
  await client.query(commits.definition)
  const start = await startPostgresDeployment(client, options)
  for (const mended of start.mended) log.warn('counter_mended', { mended })
  return new PostgresDatabase({
    description: `PostgreSQL ${version}`,
    start,
    link,
    reader: new PostgresReader(link),
    writer: new PostgresWriter({ link, commitFunction: commits, declared, clock: options.clock }),
  })
}

type Parts = {
  readonly description: string
  readonly start: Database['start']
  readonly link: Link
  readonly reader: PostgresReader
  readonly writer: PostgresWriter
}

class PostgresDatabase implements Database {
  readonly description: string
  readonly start: Database['start']
  readonly outage: Outage
  readonly #link: Link
  readonly #reader: PostgresReader
  readonly #writer: PostgresWriter

  constructor({ description, start, link, reader, writer }: Parts) {
    this.description = description
    this.start = start
    this.outage = writer
    this.#link = link
    this.#reader = reader
    this.#writer = writer
  }

  all<Out>(codec: RowCodec<Out>, query: Query): Promise<Out[]> {
    return this.#reader.all(codec, query)
  }

  get<Out>(codec: RowCodec<Out>, query: Query): Promise<Out | undefined> {
    return this.#reader.get(codec, query)
  }

  write(batch: Batch): Promise<BatchResult> {
    return this.#writer.write(batch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]()
    await this.#reader[Symbol.asyncDispose]()
    this.#link[Symbol.dispose]()
  }
}
