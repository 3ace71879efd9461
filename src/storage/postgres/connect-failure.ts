/** Where a connection was tried, as messages tell it. */
export type Place = {
  readonly name: string
  readonly address: string | undefined
  readonly port: number
  readonly isSocket: boolean
}

/** What to do after a connection could not be made: try the other kind of encryption, the next address, or nothing more. */
export type Remedy = 'other encryption' | 'next address' | 'none'

/** A connection could not be made. The message says why, without secrets. */
export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure'
  readonly remedy: Remedy
  /** The error code of the server, where it was the server that refused. */
  readonly sqlState: string | undefined

  constructor(
    message: string,
    {
      remedy,
      sqlState,
      cause,
    }: { readonly remedy: Remedy; readonly sqlState?: string | undefined; readonly cause?: unknown },
  ) {
    super(message, { cause })
    this.remedy = remedy
    this.sqlState = sqlState
  }
}

/** The server, or its certificate, or what we demand of it, says no: trying again changes nothing until somebody changes something. */
export const refusal = (message: string, cause?: unknown): ConnectFailure =>
  new ConnectFailure(message, { remedy: 'none', cause })

/** `connection to server at "db" (10.0.0.1), port 5432 failed`, as libpq has it. */
export const failedAt = ({ name, address, port, isSocket }: Place): string => {
  if (isSocket) return `connection to server on socket "${name}" failed`
  const shown = address === undefined || address === name ? '' : ` (${address})`
  return `connection to server at "${name}"${shown}, port ${port} failed`
}

/** What an administrator can do about a refusal; `undefined` where there is no advice. */
export const adviceFor = (
  message: string,
  { user, dbname }: { readonly user: string; readonly dbname: string },
): string | undefined => {
  if (/\bident\b/i.test(message)) return hbaAdvice('ident', 'host', '::1/128', user, dbname)
  if (/\bpeer authentication\b/i.test(message)) return hbaAdvice('peer', 'local', '', user, dbname)
  if (/no pg_hba\.conf entry/.test(message))
    return `Add a line for it to pg_hba.conf of the server, for example "host ${dbname} ${user} ADDRESS/32 scram-sha-256", and reload the server.`
  if (/no password/.test(message))
    return 'Add the password to the database section of homeserver.yaml, or to the password file.'
  if (/database ".*" does not exist/.test(message))
    return `Make it with: createdb --encoding=UTF8 --locale=C --template=template0 --owner=${user} ${dbname}`
  if (/role ".*" does not exist/.test(message)) return `Make it with: createuser --pwprompt ${user}`
  return undefined
}

/** The advice of the page "Using Postgres" on other ways to sign in. */
function hbaAdvice(method: string, kind: string, address: string, user: string, dbname: string): string {
  const line = (how: string) => `"${[kind, dbname, user, address, how].filter((part) => part !== '').join(' ')}"`
  const rest = ['all', 'all', address, method].filter((part) => part !== '').join(' ')
  return (
    `The server asks the operating system who we are (${method}). If ${user} has a password, add it to the database section of ` +
    `homeserver.yaml, and add ${line('scram-sha-256')} (or md5, if you use that) to pg_hba.conf; if it has none, add ${line('trust')}. ` +
    `The line must stand before "${kind} ${rest}"; then reload the server.`
  )
}
