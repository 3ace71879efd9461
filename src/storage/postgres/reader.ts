import type pg from 'pg'
import { DatabaseUnavailable, type Reader } from '#storage/database.ts'
import type { RowCodec } from '#storage/row.ts'
import { type Query, QueryTexts } from '#storage/sql.ts'
import { type ConnectionOptions, connect, isServerError, unavailable } from './connection.ts'

const RECONNECT_PAUSE_MS = 250

/** Short reads on one pipelined connection, with named statements. A lost connection is made anew by the next read. */
export class PostgresReader implements Reader, AsyncDisposable {
  readonly #options: ConnectionOptions
  readonly #texts = new QueryTexts('postgres')
  readonly #names = new Map<string, string>()
  readonly #now: () => number
  #client: Promise<pg.Client> | undefined
  #failedAt = 0
  #isClosed = false

  constructor(options: ConnectionOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  async all<Out>(codec: RowCodec<Out>, query: Query): Promise<Out[]> {
    const rows = await this.#query(query)
    return rows.map((values) => codec.decode(values))
  }

  async get<Out>(codec: RowCodec<Out>, query: Query): Promise<Out | undefined> {
    const [values] = await this.#query(query)
    return values === undefined ? undefined : codec.decode(values)
  }

  async #query(query: Query): Promise<unknown[][]> {
    const client = await this.#connection()
    const text = this.#texts.textOf(query)
    let name = this.#names.get(text)
    if (name === undefined) {
      name = `q${this.#names.size}`
      this.#names.set(text, name)
    }
    try {
      const result = await client.query({ name, text, values: this.#texts.valuesOf(query), rowMode: 'array' })
      return result.rows
    } catch (error) {
      throw isServerError(error) ? error : unavailable(error)
    }
  }

  #connection(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client
    if (this.#isClosed) return Promise.reject(new DatabaseUnavailable('the server is stopping'))
    if (this.#now() - this.#failedAt < RECONNECT_PAUSE_MS) {
      return Promise.reject(new DatabaseUnavailable('PostgreSQL does not answer'))
    }
    const forget = () => {
      if (this.#client === connecting) this.#client = undefined
    }
    const connecting = connect(this.#options, { name: 'reader', pipeline: true, onEnd: forget })
    connecting.catch(() => {
      this.#failedAt = this.#now()
      forget()
    })
    this.#client = connecting
    return connecting
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    // A connection that never came about needs no end.
    const client = await this.#client?.catch(() => undefined)
    await client?.end()
  }
}
