import type { Socket } from 'node:net'
import pg from 'pg'
import { BatchError, DatabaseUnavailable } from '#storage/database.ts'
import type { Address, Session } from './reach.ts'

/** A connection that is ready for queries. */
export type Connection = {
  readonly client: pg.Client
  readonly socket: Socket
  readonly at: Address
  /** The number of the server's process, as `pg_stat_activity` has it. */
  readonly processId: number
}

const INT8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/** Hands a session to the driver, with 64-bit integers as numbers. The driver finds the socket connected and the start-up done. */
export const handOver = async (
  session: Session,
  { isPipelined }: { readonly isPipelined: boolean },
): Promise<Connection> => {
  const { socket, heard, at, processId } = session
  Object.assign(socket, { connect: () => socket })
  const connection = Object.assign(new pg.Connection({ stream: () => socket }), { startup: () => {} })
  const client = new pg.Client({ connection, types, pipeline: isPipelined, ssl: false } as pg.ClientConfig)
  // Errors of a lost connection reach the queries that wait; without a listener they would end the process.
  client.on('error', () => {})
  const connected = client.connect()
  // What the server said after it let us in is what the driver waits for.
  socket.unshift(heard)
  await connected
  return { client, socket, at, processId }
}

/** What stands between us and an answer, in words without secrets. */
export const unavailable = (cause: unknown): DatabaseUnavailable =>
  cause instanceof DatabaseUnavailable
    ? cause
    : new DatabaseUnavailable(`PostgreSQL does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })

/** The server answered with an error (so that nothing was written), rather than the connection failing. */
export const isServerError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && !isShutdown(error.code)

/**
 * The server cannot do it now, though nothing is wrong with the statement: it is read-only, a lock or time ran out, or it lacks disk or memory.
 * https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
export const isIncapable = ({ code = '' }: pg.DatabaseError): boolean =>
  code === READ_ONLY || code === '55P03' || code.startsWith('53') || code.startsWith('57') || code.startsWith('58')

/** The server became read-only: another one of the list may be the one to write to. */
export const isReadOnly = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === READ_ONLY
const READ_ONLY = '25006'

/** Errors of classes 57P0x (shutdown, crash, terminated) end the connection. */
const isShutdown = (code: string | undefined): boolean => code?.startsWith('57P') ?? false

/** The error of a batch that the server undid. */
export const batchError = (error: pg.DatabaseError): BatchError => new BatchError(error.message, { cause: error })
