import type { RequireAuth } from './require-auth.ts'

/** Where a connection is tried: one entry of the list of hosts. */
export type Host = {
  /** As messages and certificates have it: the name, the address where there is no name, or the folder of the socket. */
  readonly name: string
  readonly place:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'address'; readonly address: string }
    /** `path` starts with `@` where the socket is abstract. */
    | { readonly kind: 'socket'; readonly path: string }
  /** The host's name was given, so that a certificate can be held against it. */
  readonly isNamed: boolean
  /** What stands in the first field of a password file. */
  readonly passwordName: string
  readonly port: number
}

/** How much encryption is wanted, and how much of it is checked. https://www.postgresql.org/docs/18/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
/** Which kind of server will do. https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export type TargetSession = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** What TLS is made with. Files that libpq finds by itself may be missing. */
export type TlsParameters = {
  readonly mode: SslMode
  readonly isDirect: boolean
  readonly sendsName: boolean
  readonly sendsCertificate: boolean
  /** `system`, or a file. `undefined`: there is no home to look for one in. */
  readonly rootCertificate: string | undefined
  readonly revoked: string | undefined
  readonly revokedFolder: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
  readonly keyPassword: string | undefined
  readonly keyLog: string | undefined
  readonly minVersion: string
  readonly maxVersion: string | undefined
}
/** Everything that is to be known to connect, as libpq would. */
export type ConnectionParameters = {
  readonly hosts: readonly Host[]
  readonly user: string
  readonly dbname: string
  readonly password: string | undefined
  readonly passwordFile: string | undefined
  /** For each address; `undefined`: libpq would wait for ever. */
  readonly connectTimeoutMs: number | undefined
  /** Settings of the session that are sent at its start. */
  readonly session: Readonly<Record<string, string>>
  readonly applicationName: string | undefined
  readonly keepalives: Keepalives
  readonly tcpUserTimeoutMs: number | undefined
  readonly tls: TlsParameters
  readonly channelBinding: 'disable' | 'prefer' | 'require'
  readonly requireAuth: RequireAuth | undefined
  /** Minor versions of protocol 3. */
  readonly protocol: { readonly min: number; readonly max: number }
  readonly targetSession: TargetSession
  readonly isBalanced: boolean
}
/** The keepalives of TCP; what is `undefined` is left to the system. */
export type Keepalives = {
  readonly isOn: boolean
  readonly idleMs: number | undefined
  readonly intervalMs: number | undefined
  readonly count: number | undefined
}
