import type { Batch, BatchResult } from '#storage/change.ts'
import type { Database } from '#storage/database.ts'
import type { RowCodec } from '#storage/row.ts'
import type { Query } from '#storage/sql.ts'
import { CONDITIONS, OPERATIONS } from '#storage/stores/all.ts'
import type { Clock } from '#util/clock.ts'
import { commitFunction } from './commit-function.ts'
import { type ConnectionOptions, connect } from './connection.ts'
import { PostgresReader } from './reader.ts'
import { checkServer, migratePostgres, startPostgresDeployment } from './schema.ts'
import { PostgresWriter } from './writer.ts'

/** What opening a PostgreSQL database takes. */
export type PostgresOptions = {
  readonly connection: ConnectionOptions
  readonly serverName: string
  readonly randomBytes: (size: number) => Uint8Array
  readonly clock: Clock
}

/** Connects, checks the server, brings the schema up to date and puts the commit function in place. */
export const openPostgres = async (options: PostgresOptions): Promise<Database> => {
  const declared = { operations: OPERATIONS, conditions: CONDITIONS }
  const commits = commitFunction(declared)
  const client = await connect(options.connection, { name: 'start' })
  try {
    const version = await checkServer(client)
    await migratePostgres(client)
    await client.query(commits.definition)
    const start = await startPostgresDeployment(client, options)
    return new PostgresDatabase({
      description: `PostgreSQL ${version}`,
      start,
      reader: new PostgresReader(options.connection, options.clock.now),
      writer: new PostgresWriter({
        options: options.connection,
        commitFunction: commits,
        declared,
        clock: options.clock,
      }),
    })
  } finally {
    await client.end()
  }
}

type Parts = {
  readonly description: string
  readonly start: Database['start']
  readonly reader: PostgresReader
  readonly writer: PostgresWriter
}

class PostgresDatabase implements Database {
  readonly description: string
  readonly start: Database['start']
  readonly #reader: PostgresReader
  readonly #writer: PostgresWriter

  constructor({ description, start, reader, writer }: Parts) {
    this.description = description
    this.start = start
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
  }
}
