import pg from 'pg'
import { BatchError, DatabaseUnavailable } from '#storage/database.ts'

/** How to reach the server, as `pg` takes it. */
export type ConnectionOptions = Readonly<pg.ClientConfig>

const INT8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/** One connection, with 64-bit integers as numbers. It ends silently when the server goes: `onEnd` hears of it. */
export const connect = async (
  options: ConnectionOptions,
  settings: { readonly name: string; readonly pipeline?: boolean; readonly onEnd?: () => void },
): Promise<pg.Client> => {
  const config = {
    application_name: `myelin ${settings.name}`,
    ...options,
    types,
    pipeline: settings.pipeline === true,
  }
  const client = new pg.Client(config as pg.ClientConfig)
  // Errors of a lost connection reach the queries that wait; without a listener they would end the process.
  client.on('error', () => {})
  client.on('end', () => settings.onEnd?.())
  try {
    await client.connect()
  } catch (cause) {
    throw unavailable(cause)
  }
  return client
}

/** What stands between us and an answer, in words without secrets. */
export const unavailable = (cause: unknown): DatabaseUnavailable =>
  new DatabaseUnavailable(`PostgreSQL does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })

/** Whether the server answered with an error (so that nothing was written), rather than the connection failing. */
export const isServerError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && !isShutdown(error.code)

/** Errors of classes 57P0x (shutdown, crash, terminated) end the connection. */
const isShutdown = (code: string | undefined): boolean => code?.startsWith('57P') ?? false

/** The error of a batch that the server undid. */
export const batchError = (error: pg.DatabaseError): BatchError => new BatchError(error.message, { cause: error })
