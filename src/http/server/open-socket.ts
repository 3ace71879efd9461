import { chmodSync, lstatSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'

/** Where one socket listens. */
export type Place =
  | { readonly host: string; readonly port: number; readonly isIpv6Only: boolean }
  | { readonly path: string; readonly mode: number }

/** A place where the server cannot listen. The message says where and why, for an administrator. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
  /** This machine has no such address. */
  readonly isNoAddress: boolean

  constructor(place: Place, cause: unknown) {
    const code = codeOf(cause)
    super(`Cannot listen on ${nameOf(place)}: ${REASONS[code] ?? reasonOf(cause)}.`, { cause })
    this.isNoAddress = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES:
    'the system does not allow it (ports below 1024 are for root, and a socket needs a folder that can be written)',
  EPERM: 'the system does not allow it',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no addresses of that kind',
  ENOTFOUND: 'nobody knows this name',
  ENOENT: 'there is no such folder',
  ENOTSOCK: 'there is a file of that name, which is no socket',
}

/** Makes the server listen. A socket file that a dead process left is replaced, one that is in use is not. */
export const openSocket = async (server: Server, place: Place): Promise<void> => {
  try {
    if ('path' in place) await removeDeadSocket(place.path)
    await listening(server, place)
    if ('path' in place) chmodSync(place.path, place.mode)
  } catch (error) {
    throw new CannotListen(place, error)
  }
}

const listening = (server: Server, place: Place): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    const opened = () => {
      server.off('error', reject)
      resolve()
    }
    if ('path' in place) server.listen({ path: place.path }, opened)
    else server.listen({ host: place.host, port: place.port, ipv6Only: place.isIpv6Only }, opened)
  })

async function removeDeadSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw Object.assign(new Error('not a socket'), { code: 'ENOTSOCK' })
  if (await isAnswered(path)) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' })
  rmSync(path, { force: true })
}

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

function nameOf(place: Place): string {
  if ('path' in place) return place.path
  return place.host.includes(':') ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
