import { hash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import type { AuthMethod } from '#util/libpq/require-auth.ts'
import { certificateHash } from './certificate-hash.ts'
import { ConnectFailure, refusal } from './connect-failure.ts'
import { type Binding, Scram } from './scram.ts'
import {
  errorFields,
  passwordMessage,
  type StartupWire,
  startupMessage,
  zeroEnded,
  zeroEndedTexts,
} from './startup-wire.ts'

/** What a server told us when it let us in. */
export type LetIn = {
  readonly processId: number
  /** The settings that it reports, such as `server_version` and `in_hot_standby`. */
  readonly status: ReadonlyMap<string, string>
  /** What it said after it let us in, for the driver to hear. */
  readonly heard: Buffer
}

/** Who signs in, and what is demanded of the server. */
export type SignIn = {
  readonly parameters: Pick<ConnectionParameters, 'user' | 'dbname' | 'channelBinding' | 'requireAuth' | 'protocol'>
  /** Settings of the session, besides user and database. */
  readonly session: Readonly<Record<string, string>>
  readonly password: string | undefined
  /** The connection, where it is encrypted. */
  readonly secured: TLSSocket | undefined
}

/**
 * Begins a session: says who we are, proves it in a way that is acceptable, and waits until the server is ready for queries. Nothing that is
 * made from the password is sent before `require_auth` and `channel_binding` are satisfied.
 * https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export const signIn = async (wire: StartupWire, given: SignIn): Promise<LetIn> => {
  const { user, dbname, protocol } = given.parameters
  wire.send(startupMessage(protocol.max, { user, database: dbname, ...given.session, client_encoding: 'UTF8' }))
  await new Authentication(wire, given).run()
  return ready(wire)
}

const AUTH_NAMES: Readonly<Record<number, AuthMethod>> = { 3: 'password', 5: 'md5', 7: 'gss', 9: 'sspi' }

class Authentication {
  readonly #wire: StartupWire
  readonly #given: SignIn
  #scram: Scram | undefined
  #hasProved = false

  constructor(wire: StartupWire, given: SignIn) {
    this.#wire = wire
    this.#given = given
  }

  async run(): Promise<void> {
    for (;;) {
      const { type, body } = await this.#wire.message()
      if (type === 'E') throw serverRefusal(body, 'other encryption')
      if (type === 'v') this.#judgeVersion(body)
      else if (type === 'R') {
        if (body.length < 4) throw refusal('the server sent an invalid authentication request')
        if (await this.#answer(body.readUInt32BE(0), body.subarray(4))) return
      } else if (type !== 'N')
        throw refusal(`expected authentication request from server, but received ${JSON.stringify(type)}`)
    }
  }

  /** Answers a request; `true` when the server has let us in. */
  async #answer(code: number, body: Buffer): Promise<boolean> {
    if (code === 0) {
      this.#judgeLetIn()
      return true
    }
    if (code === 11 || code === 12) await this.#goOn(code, body.toString())
    else if (code === 10) this.#startScram(zeroEndedTexts(body))
    else if (code === 3) this.#sendPassword('password', () => this.#password())
    else if (code === 5) this.#sendPassword('md5', () => this.#hashed(body))
    else {
      const name = AUTH_NAMES[code]
      if (name !== undefined) this.#judge(name)
      throw refusal(`authentication method ${name ?? code} is not supported by Myelin`)
    }
    return false
  }

  #sendPassword(method: 'password' | 'md5', make: () => string): void {
    this.#judge(method)
    if (this.#given.parameters.channelBinding === 'require')
      throw refusal("channel binding required but not supported by server's authentication request")
    this.#wire.send(passwordMessage(zeroEnded(make())))
    this.#hasProved = true
  }

  #hashed(salt: Buffer): string {
    const inner = hash('md5', `${this.#password()}${this.#given.parameters.user}`)
    return `md5${hash('md5', Buffer.concat([Buffer.from(inner), salt]))}`
  }

  #password(): string {
    const { password } = this.#given
    if (password === undefined || password === '') throw refusal('fe_sendauth: no password supplied')
    return password
  }

  #startScram(offered: readonly string[]): void {
    if (this.#scram !== undefined) throw refusal('duplicate SASL authentication request')
    const isOauth = offered.includes('OAUTHBEARER') && !offered.some((name) => name.startsWith('SCRAM-SHA-256'))
    this.#judge(isOauth ? 'oauth' : 'scram-sha-256')
    const scram = new Scram(this.#binding(offered))
    if (!offered.includes(scram.mechanism))
      throw refusal(
        `none of the server's SASL authentication mechanisms are supported (${offered.filter((name) => name !== '').join(', ')})`,
      )
    this.#password()
    this.#scram = scram
    const first = Buffer.from(scram.first())
    const length = Buffer.alloc(4)
    length.writeUInt32BE(first.length)
    this.#wire.send(passwordMessage(Buffer.concat([zeroEnded(scram.mechanism), length, first])))
  }

  #binding(offered: readonly string[]): Binding {
    const { secured, parameters } = this.#given
    const isOffered = offered.includes('SCRAM-SHA-256-PLUS')
    if (isOffered && secured === undefined)
      throw refusal('server offered SCRAM-SHA-256-PLUS authentication over a non-SSL connection')
    if (parameters.channelBinding === 'require' && secured === undefined)
      throw refusal('channel binding required, but SSL not in use')
    if (parameters.channelBinding === 'require' && !isOffered)
      throw refusal(
        'channel binding is required, but server did not offer an authentication method that supports channel binding',
      )
    if (secured === undefined || parameters.channelBinding === 'disable') return { kind: 'unable' }
    return isOffered
      ? { kind: 'bound', certificateHash: certificateHash(secured.getPeerX509Certificate()) }
      : { kind: 'able' }
  }

  async #goOn(code: 11 | 12, message: string): Promise<void> {
    const scram = this.#scram
    if (scram === undefined) throw refusal('invalid SASL authentication request')
    if (code === 12) {
      scram.finish(message)
      this.#hasProved = true
    } else this.#wire.send(passwordMessage(Buffer.from(await scram.proof(message, this.#password()))))
  }

  /** Whether the server may ask in this way. */
  #judge(method: AuthMethod): void {
    const { requireAuth } = this.#given.parameters
    if (requireAuth !== undefined && !requireAuth.has(method))
      throw refusal(
        `authentication method requirement "${[...requireAuth].join(',')}" failed: server requested ${method} authentication`,
      )
  }

  #judgeLetIn(): void {
    const { requireAuth, channelBinding } = this.#given.parameters
    if (this.#scram !== undefined && !this.#scram.isDone)
      throw refusal('the server let us in before it proved that it knows the password')
    if (!this.#hasProved && requireAuth !== undefined && !requireAuth.has('none'))
      throw refusal(
        `authentication method requirement "${[...requireAuth].join(',')}" failed: server did not complete authentication`,
      )
    if (channelBinding === 'require' && this.#scram?.mechanism !== 'SCRAM-SHA-256-PLUS')
      throw refusal('channel binding required, but server authenticated client without channel binding')
  }

  #judgeVersion(body: Buffer): void {
    const { min } = this.#given.parameters.protocol
    const newest = body.readUInt32BE(0) & 0xffff
    if (newest < min)
      throw refusal(`server only supports protocol version 3.${newest}, but "min_protocol_version" was set to 3.${min}`)
  }
}

/** Reads on until the server is ready for queries. */
async function ready(wire: StartupWire): Promise<LetIn> {
  const status = new Map<string, string>()
  const heard: Buffer[] = []
  let processId = 0
  for (;;) {
    const { type, body, raw } = await wire.message()
    if (type === 'E') throw serverRefusal(body, 'none')
    heard.push(raw)
    if (type === 'K') processId = body.readInt32BE(0)
    if (type === 'S') {
      const [name = '', value = ''] = zeroEndedTexts(body)
      status.set(name, value)
    }
    if (type === 'Z') return { processId, status, heard: Buffer.concat(heard) }
  }
}

const STARTING_UP = '57P03'

/** The error with which the server refused, as libpq shows it. */
export const serverRefusal = (body: Buffer, remedy: 'other encryption' | 'none'): ConnectFailure => {
  const fields = errorFields(body)
  const sqlState = fields.get('C') ?? ''
  const hint = fields.get('H') === undefined ? '' : ` (${fields.get('H')})`
  return new ConnectFailure(`${fields.get('S') ?? 'FATAL'}: ${fields.get('M') ?? ''}${hint}`, {
    remedy: sqlState === STARTING_UP ? 'next address' : remedy,
    sqlState,
  })
}
