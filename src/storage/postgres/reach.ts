import { lookup } from 'node:dns/promises'
import { readFileSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#util/clock.ts'
import type { ConnectionParameters, Host } from '#util/libpq/parameters.ts'
import { findPassword } from '#util/libpq/password-file.ts'
import { type LetIn, serverRefusal, signIn } from './authenticate.ts'
import { ConnectFailure, failedAt, type Place, refusal } from './connect-failure.ts'
import { keepAlive } from './keepalive.ts'
import { StartupWire, tlsRequest } from './startup-wire.ts'
import { secure } from './tls.ts'

/** One address of one host. */
export type Address = { readonly host: Host; readonly address: string | undefined }

/** A session with a server, before the first query. */
export type Session = LetIn & { readonly socket: Socket; readonly at: Address }

/** What connecting takes. */
export type Reach = {
  readonly parameters: ConnectionParameters
  /** Settings of the session. */
  readonly session: Readonly<Record<string, string>>
  /** For each address. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Says what an administrator should know, such as a password file that is not used. */
  readonly onWarning: (sentence: string) => void
}

/** The addresses of a host, in the order in which they are tried. */
export const addressesOf = async (host: Host): Promise<readonly Address[]> => {
  const { place } = host
  if (place.kind === 'socket') return [{ host, address: undefined }]
  if (place.kind === 'address') return [{ host, address: place.address }]
  try {
    const found = await lookup(place.name, { all: true, order: 'verbatim' })
    return found.map(({ address }) => ({ host, address }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConnectFailure(`could not translate host name "${place.name}" to address: ${reason}`, {
      remedy: 'next address',
      cause: error,
    })
  }
}

type Encryption = 'none' | 'TLS'

/** Connects to one address, with or without encryption as `sslmode` says, and signs in. Throws `ConnectFailure` that tells of every try. */
export const reach = async (at: Address, given: Reach): Promise<Session> => {
  const messages: string[] = []
  let last: ConnectFailure | undefined
  for (const way of waysOf(at.host, given.parameters)) {
    try {
      return await reachBy(way, at, given)
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error
      last = error
      messages.push(`${failedAt(placeOf(at))}: ${error.message}`)
      if (error.remedy !== 'other encryption') break
    }
  }
  throw new ConnectFailure(messages.join('\n'), {
    // Whom one host turned away for good is not tried elsewhere, as in libpq.
    remedy: last?.remedy === 'next address' ? 'next address' : 'none',
    cause: last,
    sqlState: last?.sqlState,
  })
}

/** Where an address is, for messages. */
export const placeOf = ({ host, address }: Address): Place => ({
  name: host.place.kind === 'socket' ? socketPath(host) : host.name,
  address,
  port: host.port,
  isSocket: host.place.kind === 'socket',
})

function waysOf({ place }: Host, { tls }: ConnectionParameters): readonly Encryption[] {
  // Nobody listens on a Unix socket but the system.
  if (place.kind === 'socket' || tls.mode === 'disable') return ['none']
  if (tls.mode === 'allow') return ['none', 'TLS']
  return tls.mode === 'prefer' ? ['TLS', 'none'] : ['TLS']
}

const socketPath = ({ place, port }: Host): string => (place.kind === 'socket' ? `${place.path}/.s.PGSQL.${port}` : '')

async function reachBy(way: Encryption, at: Address, given: Reach): Promise<Session> {
  const socket = new Socket()
  let hasTimedOut = false
  const stop = given.clock.after(given.timeoutMs, () => {
    hasTimedOut = true
    socket.destroy()
  })
  // An error that comes when nobody waits for anything must not end the process; `close` follows it.
  socket.on('error', () => {})
  let stream: Socket | TLSSocket = socket
  try {
    await dialed(socket, at)
    keepAlive(socket, given.parameters.keepalives)
    if (way === 'TLS') stream = await encrypted(socket, at.host, given.parameters)
    stream.on('error', () => {})
    return { ...(await begun(stream, at, given)), socket: stream, at }
  } catch (error) {
    stream.destroy()
    socket.destroy()
    if (!hasTimedOut) throw error
    throw new ConnectFailure('timeout expired', { remedy: 'next address', cause: error })
  } finally {
    stop()
  }
}

async function begun(stream: Socket | TLSSocket, at: Address, given: Reach): Promise<LetIn> {
  const wire = new StartupWire(stream)
  try {
    return await signIn(wire, {
      parameters: given.parameters,
      session: given.session,
      password: given.parameters.password ?? passwordFromFile(at, given),
      secured: 'encrypted' in stream ? (stream as TLSSocket) : undefined,
    })
  } finally {
    wire.release()
  }
}

const dialed = (socket: Socket, { host, address }: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (cause?: Error) => {
      const code = cause !== undefined && 'code' in cause ? String(cause.code) : undefined
      const message = (code === undefined ? undefined : DIAL_ERRORS[code]) ?? cause?.message ?? 'connection closed'
      reject(new ConnectFailure(message, { remedy: 'next address', cause }))
    }
    socket.once('error', fail).once('close', () => fail())
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve()
    })
    socket.setNoDelay(true)
    if (address !== undefined) socket.connect({ port: host.port, host: address })
    else socket.connect({ path: socketPath(host).replace(/^@/, '\0') })
  })

const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused. Is the server running there and accepting connections?',
  ENOENT: 'No such file or directory. Is the server running there and accepting connections?',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
  EACCES: 'Permission denied',
}

/** Asks for TLS, or begins it at once. Under `prefer`, a server without TLS is spoken to in the clear. */
async function encrypted(socket: Socket, host: Host, { tls }: ConnectionParameters): Promise<Socket | TLSSocket> {
  if (tls.isDirect) return secure(socket, host, tls)
  const wire = new StartupWire(socket)
  try {
    wire.send(tlsRequest())
    const answer = (await wire.take(1)).toString('latin1')
    if (answer === 'E') throw await errorInsteadOfTls(wire)
    if (wire.waitingBytes > 0) throw refusal('received unencrypted data after SSL response')
    if (answer === 'N') {
      if (tls.mode === 'prefer') return socket
      throw refusal('server does not support SSL, but SSL was required')
    }
    if (answer !== 'S') throw refusal(`received invalid response to SSL negotiation: ${JSON.stringify(answer)}`)
  } finally {
    wire.release()
  }
  return secure(socket, host, tls)
}

/** A server that cannot even start a session answers with an error: it has no more processes, for example. */
async function errorInsteadOfTls(wire: StartupWire): Promise<ConnectFailure> {
  const length = (await wire.take(4)).readUInt32BE(0)
  const body = length >= 4 && length < 1 << 16 ? await wire.take(length - 4) : Buffer.alloc(0)
  // What comes before TLS may be from anybody, so that it is not shown.
  const { sqlState } = serverRefusal(body, 'other encryption')
  return new ConnectFailure('server sent an error response during SSL exchange', {
    remedy: 'other encryption',
    sqlState,
  })
}

function passwordFromFile({ host }: Address, { parameters, onWarning }: Reach): string | undefined {
  const { passwordFile, dbname, user } = parameters
  if (passwordFile === undefined) return undefined
  const stats = statSync(passwordFile, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  if (!stats.isFile()) {
    onWarning(`The password file "${passwordFile}" is not a plain file, and is not used.`)
    return undefined
  }
  if ((stats.mode & 0o077) !== 0) {
    onWarning(
      `The password file "${passwordFile}" has group or world access, and is not used; permissions should be u=rw (0600) or less.`,
    )
    return undefined
  }
  const text = readFileSync(passwordFile, 'utf8')
  return findPassword(text, { host: host.passwordName, port: host.port, dbname, user })
}
