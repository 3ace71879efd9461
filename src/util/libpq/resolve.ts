import { type Given, gather, type Problem, type Surroundings } from './gather.ts'
import { readHosts } from './hosts.ts'
import type { ConnectionParameters, Keepalives, SslMode, TargetSession, TlsParameters } from './parameters.ts'
import { readRequireAuth } from './require-auth.ts'

/** What a connection takes, or all that is wrong with what was given. */
export type Resolved =
  | { readonly ok: true; readonly parameters: ConnectionParameters }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Makes of what was given, of a service file, of the `PG*` variables and of libpq's defaults, in this order, what a connection takes.
 * https://www.postgresql.org/docs/18/libpq-connect.html
 */
export const resolveParameters = (args: Readonly<Record<string, string>>, surroundings: Surroundings): Resolved => {
  const problems: Problem[] = []
  const given = gather(args, surroundings, problems)
  const fail = (keyword: string, sentence: string) => {
    problems.push({ keyword, origin: given.originOf(keyword), sentence })
  }
  const user = given.text('user') ?? surroundings.account
  if (user === undefined) fail('user', 'Expected a user: this account has no name.')
  const hosts = readHosts(given, surroundings.socketFolder, fail)
  const tls = readTls(given, surroundings.home, fail)
  if (hosts.some(({ place }) => place.kind === 'socket') && (given.text('requirepeer') ?? '') !== '')
    fail('requirepeer', 'Node.js does not tell who is at the other end of a Unix socket.')
  const protocol = readProtocol(given, fail)
  if (problems.length > 0 || user === undefined) return { ok: false, problems }
  const requireAuth = given.text('require_auth')
  return {
    ok: true,
    parameters: {
      hosts,
      user,
      dbname: given.text('dbname') ?? user,
      password: given.text('password'),
      passwordFile: given.text('passfile') ?? inHome(surroundings.home, '.pgpass'),
      connectTimeoutMs: positive(given.number('connect_timeout'), 1000),
      session: sessionOf(given, surroundings),
      applicationName: given.text('application_name') ?? given.text('fallback_application_name'),
      keepalives: keepalivesOf(given),
      tcpUserTimeoutMs: positive(given.number('tcp_user_timeout'), 1),
      tls,
      channelBinding: given.oneOf('channel_binding', 'prefer') as ConnectionParameters['channelBinding'],
      requireAuth: requireAuth === undefined ? undefined : setOrNothing(readRequireAuth(requireAuth)),
      protocol,
      targetSession: given.oneOf('target_session_attrs', 'any') as TargetSession,
      isBalanced: given.text('load_balance_hosts') === 'random',
    },
  }
}

type Fail = (keyword: string, sentence: string) => void

const setOrNothing = <T>(value: T | string): T | undefined => (typeof value === 'string' ? undefined : value)
const positive = (value: number | undefined, unit: number): number | undefined =>
  value === undefined || value <= 0 ? undefined : value * unit
const inHome = (home: string | undefined, name: string): string | undefined =>
  home === undefined ? undefined : `${home}/${name}`

function keepalivesOf(given: Given): Keepalives {
  return {
    isOn: (given.number('keepalives') ?? 1) !== 0,
    idleMs: positive(given.number('keepalives_idle'), 1000),
    intervalMs: positive(given.number('keepalives_interval'), 1000),
    count: positive(given.number('keepalives_count'), 1),
  }
}

function sessionOf(given: Given, { environment }: Surroundings): Record<string, string> {
  const session: Record<string, string> = {}
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') session[name] = value
  }
  put('options', given.text('options'))
  // https://www.postgresql.org/docs/18/libpq-envars.html: these three are sent as they are, unless they say "default".
  for (const [variable, name] of [
    ['PGDATESTYLE', 'datestyle'],
    ['PGTZ', 'timezone'],
    ['PGGEQO', 'geqo'],
  ] as const)
    if (environment[variable]?.toLowerCase() !== 'default') put(name, environment[variable])
  return session
}

function readTls(given: Given, home: string | undefined, fail: Fail): TlsParameters {
  const rootCertificate = given.text('sslrootcert') ?? inHome(home, '.postgresql/root.crt')
  const isSystem = rootCertificate === 'system'
  const mode = (given.text('sslmode') ?? (isSystem ? 'verify-full' : 'prefer')) as SslMode
  const isDirect = given.text('sslnegotiation') === 'direct'
  if (isSystem && mode !== 'verify-full')
    fail(
      'sslmode',
      `Expected verify-full with sslrootcert=system, and got ${mode}: anybody can get such a certificate.`,
    )
  if (isDirect && ['disable', 'allow', 'prefer'].includes(mode))
    fail('sslmode', `Expected require, verify-ca or verify-full with sslnegotiation=direct, and got ${mode}.`)
  const minVersion = tlsVersion(given.text('ssl_min_protocol_version')) ?? 'TLSv1.2'
  const maxVersion = tlsVersion(given.text('ssl_max_protocol_version'))
  if (maxVersion !== undefined && maxVersion < minVersion)
    fail('ssl_min_protocol_version', `Expected at most ssl_max_protocol_version, which is ${maxVersion}.`)
  return {
    mode,
    isDirect,
    sendsName: given.oneOf('sslsni', '1') === '1',
    sendsCertificate: given.text('sslcertmode') !== 'disable',
    rootCertificate,
    revoked: given.text('sslcrl') ?? (given.text('sslcrldir') ? undefined : inHome(home, '.postgresql/root.crl')),
    revokedFolder: given.text('sslcrldir'),
    certificate: given.text('sslcert') ?? inHome(home, '.postgresql/postgresql.crt'),
    key: given.text('sslkey') ?? inHome(home, '.postgresql/postgresql.key'),
    keyPassword: given.text('sslpassword'),
    keyLog: given.text('sslkeylogfile'),
    minVersion,
    maxVersion,
  }
}

/** `TLSv1` sorts before `TLSv1.1`, so that these texts can be compared. */
const tlsVersion = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : `TLSv${value.slice(4)}`

function readProtocol(given: Given, fail: Fail): ConnectionParameters['protocol'] {
  const minor = (name: string) => {
    const value = given.text(name)
    return value === undefined ? undefined : value === '3.0' ? 0 : 2
  }
  const min = minor('min_protocol_version') ?? 0
  const max = minor('max_protocol_version') ?? Math.max(0, min)
  if (min > max) fail('min_protocol_version', 'Expected at most max_protocol_version.')
  return { min, max }
}
