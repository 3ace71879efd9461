import {
  addresses,
  honoured,
  idle,
  type Keyword,
  keptBySocket,
  oneOf,
  oneOfAnyCase,
  only,
  ports,
  refused,
  whole,
} from './keyword-kinds.ts'
import { judgeRequireAuth } from './require-auth.ts'

const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
const NO_KERBEROS = 'Myelin does not sign in by GSSAPI (Kerberos).'
const NO_OAUTH = 'Myelin does not sign in to PostgreSQL by OAuth.'
const NO_KEYS = 'Myelin proves itself by the password, not by keys made from it; give the password instead.'

/**
 * Every connection parameter of libpq of PostgreSQL 18, in the order of its documentation, and `servicefile`, which PostgreSQL 19 adds.
 * The table in the manual is made from it. https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
export const keywords: readonly Keyword[] = [
  honoured('host', {
    variable: 'PGHOST',
    doc: 'A name or address, a folder of Unix sockets (starts with `/`), an abstract Unix socket (starts with `@`), or several of them, separated by commas, that are tried in order. Without it: the Unix socket in `/var/run/postgresql`, or in `/tmp`.',
  }),
  honoured(
    'hostaddr',
    {
      variable: 'PGHOSTADDR',
      doc: 'Addresses to connect to, so that `host` is not looked up; `host` is still what certificates and the password file are held against.',
    },
    addresses,
  ),
  honoured('port', { variable: 'PGPORT', default: '5432', doc: 'One for all hosts, or one for each.' }, ports),
  honoured('dbname', {
    variable: 'PGDATABASE',
    doc: 'The database; the name of the user where it is left out. `database` means the same.',
  }),
  honoured('user', { variable: 'PGUSER', doc: 'The role; the account that runs Myelin where it is left out.' }),
  honoured('password', { variable: 'PGPASSWORD', isSecret: true, doc: 'Sent only if the server asks for it.' }),
  honoured('passfile', {
    variable: 'PGPASSFILE',
    default: '~/.pgpass',
    doc: 'Where passwords are looked up that are not given. A file that others may read is not used, and that is said in the log.',
  }),
  honoured(
    'require_auth',
    {
      variable: 'PGREQUIREAUTH',
      doc: 'Ways to sign in that the server may ask for, separated by commas, or each with a `!` those that it may not: `password`, `md5`, `gss`, `sspi`, `scram-sha-256`, `oauth`, `none`.',
    },
    judgeRequireAuth,
  ),
  honoured(
    'channel_binding',
    {
      variable: 'PGCHANNELBINDING',
      default: 'prefer',
      doc: '`require`: only a server that proves, over TLS, that it knows the password. `disable`, `prefer`.',
    },
    oneOf('disable', 'prefer', 'require'),
  ),
  honoured(
    'connect_timeout',
    {
      variable: 'PGCONNECT_TIMEOUT',
      doc: 'Seconds for each address. Where libpq would wait for ever (left out, 0 or less), the bound of the heartbeat counts.',
    },
    whole,
  ),
  honoured(
    'client_encoding',
    {
      variable: 'PGCLIENTENCODING',
      doc: '`UTF8` or `auto`; Myelin always speaks UTF-8, so that any other is refused.',
    },
    (value) =>
      /^(auto|utf-?8|unicode|)$/i.test(value)
        ? undefined
        : 'Myelin speaks UTF-8 with the server; leave client_encoding out.',
  ),
  honoured('options', { variable: 'PGOPTIONS', doc: 'Settings of the session, as `-c name=value`.' }),
  honoured('application_name', {
    variable: 'PGAPPNAME',
    doc: 'How connections are named in `pg_stat_activity`; `myelin` and what the connection is for where it is left out.',
  }),
  honoured('fallback_application_name', { doc: 'The name where `application_name` is left out.' }),
  honoured('keepalives', { default: '1', doc: '`0` turns the keepalives of TCP off; the heartbeat stays.' }, whole),
  honoured(
    'keepalives_idle',
    { doc: 'Seconds without traffic until the first keepalive; 0 for what the system does.' },
    keptBySocket(32_767),
  ),
  honoured('keepalives_interval', { doc: 'Seconds between keepalives that are not answered.' }, keptBySocket(32_767)),
  honoured('keepalives_count', { doc: 'How many may be lost.' }, keptBySocket(127)),
  honoured(
    'tcp_user_timeout',
    {
      doc: 'Milliseconds that something sent may stay unanswered; kept by the heartbeat, which uses it if it is shorter than its own bound.',
    },
    whole,
  ),
  refused(
    'replication',
    { doc: 'Myelin is no replica.' },
    only(['false', 'off', 'no', '0'], 'Myelin is no replica: it cannot use a replication connection.'),
  ),
  refused(
    'gssencmode',
    {
      variable: 'PGGSSENCMODE',
      default: 'disable',
      doc: '`disable` and `prefer` are the same here; `require` is refused.',
    },
    (value) =>
      value === 'require'
        ? 'Myelin does not encrypt by GSSAPI; use sslmode=verify-full instead.'
        : oneOf('disable', 'prefer')(value),
  ),
  honoured(
    'sslmode',
    {
      variable: 'PGSSLMODE',
      default: 'prefer',
      doc: '`disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`, as libpq has them: `allow` and `prefer` connect anew the other way when the first fails, and where there is a root certificate the server is held against it in every mode.',
    },
    oneOf('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'),
  ),
  honoured(
    'sslnegotiation',
    {
      variable: 'PGSSLNEGOTIATION',
      default: 'postgres',
      doc: '`direct`: TLS from the first byte (PostgreSQL 17 and later; `sslmode=require` or more).',
    },
    oneOf('postgres', 'direct'),
  ),
  idle(
    'sslcompression',
    { variable: 'PGSSLCOMPRESSION', default: '0', doc: 'There is no compression in TLS any more.' },
    whole,
  ),
  honoured('sslcert', {
    variable: 'PGSSLCERT',
    default: '~/.postgresql/postgresql.crt',
    doc: 'The certificate of this client.',
  }),
  honoured('sslkey', {
    variable: 'PGSSLKEY',
    default: '~/.postgresql/postgresql.key',
    doc: 'Its key. A file that others may read is refused.',
  }),
  honoured('sslkeylogfile', {
    doc: 'A file that the secrets of TLS are appended to, to look into captured packets. For debugging only.',
  }),
  honoured('sslpassword', { isSecret: true, doc: 'What the key is encrypted with.' }),
  honoured(
    'sslcertmode',
    {
      variable: 'PGSSLCERTMODE',
      default: 'allow',
      doc: '`disable` sends no certificate, `allow` does if the server asks; `require` is refused, because Node.js does not tell whether the server asked.',
    },
    (value) =>
      value === 'require'
        ? 'Node.js does not tell whether the server asked for a certificate; let pg_hba.conf require it (clientcert=verify-full).'
        : oneOf('disable', 'allow')(value),
  ),
  honoured('sslrootcert', {
    variable: 'PGSSLROOTCERT',
    default: '~/.postgresql/root.crt',
    doc: 'The authorities that the certificate of the server must be from; `system` for those of this machine, with `sslmode=verify-full`.',
  }),
  honoured('sslcrl', {
    variable: 'PGSSLCRL',
    default: '~/.postgresql/root.crl',
    doc: 'Certificates that were revoked.',
  }),
  honoured('sslcrldir', { variable: 'PGSSLCRLDIR', doc: 'A folder of such lists, prepared by `openssl rehash`.' }),
  honoured(
    'sslsni',
    { variable: 'PGSSLSNI', default: '1', doc: '`0` does not tell the name of the host in the clear.' },
    oneOf('0', '1'),
  ),
  refused(
    'requirepeer',
    {
      variable: 'PGREQUIREPEER',
      doc: 'Refused over Unix sockets, where it would matter: Node.js does not tell who is at the other end.',
    },
    () => undefined,
  ),
  honoured(
    'ssl_min_protocol_version',
    {
      variable: 'PGSSLMINPROTOCOLVERSION',
      default: 'TLSv1.2',
      doc: TLS_VERSIONS.map((one) => `\`${one}\``).join(', '),
    },
    oneOfAnyCase(...TLS_VERSIONS),
  ),
  honoured(
    'ssl_max_protocol_version',
    { variable: 'PGSSLMAXPROTOCOLVERSION', doc: TLS_VERSIONS.map((one) => `\`${one}\``).join(', ') },
    oneOfAnyCase(...TLS_VERSIONS),
  ),
  honoured(
    'min_protocol_version',
    {
      variable: 'PGMINPROTOCOLVERSION',
      default: '3.0',
      doc: '`3.0`, `3.2` or `latest`, of the protocol of PostgreSQL.',
    },
    oneOf('3.0', '3.2', 'latest'),
  ),
  honoured(
    'max_protocol_version',
    { variable: 'PGMAXPROTOCOLVERSION', default: '3.0', doc: '`3.0`, `3.2` or `latest`.' },
    oneOf('3.0', '3.2', 'latest'),
  ),
  refused(
    'krbsrvname',
    { variable: 'PGKRBSRVNAME', default: 'postgres', doc: NO_KERBEROS },
    only(['postgres'], NO_KERBEROS),
  ),
  refused('gsslib', { variable: 'PGGSSLIB', doc: NO_KERBEROS }, only([], NO_KERBEROS)),
  refused('gssdelegation', { variable: 'PGGSSDELEGATION', default: '0', doc: NO_KERBEROS }, only(['0'], NO_KERBEROS)),
  refused('scram_client_key', { isSecret: true, doc: NO_KEYS }, only([], NO_KEYS)),
  refused('scram_server_key', { isSecret: true, doc: NO_KEYS }, only([], NO_KEYS)),
  honoured('service', {
    variable: 'PGSERVICE',
    doc: 'Parameters that are kept in a service file: `~/.pg_service.conf`, or `pg_service.conf` in `PGSYSCONFDIR` (`/etc/postgresql-common` without it).',
  }),
  honoured('servicefile', { variable: 'PGSERVICEFILE', doc: 'That file.' }),
  honoured(
    'target_session_attrs',
    {
      variable: 'PGTARGETSESSIONATTRS',
      default: 'any',
      doc: '`any`, `read-write`, `read-only`, `primary`, `standby`, `prefer-standby`: which of several hosts will do.',
    },
    oneOf('any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'),
  ),
  honoured(
    'load_balance_hosts',
    { variable: 'PGLOADBALANCEHOSTS', default: 'disable', doc: '`random` tries hosts and addresses in any order.' },
    oneOf('disable', 'random'),
  ),
  refused('oauth_issuer', { doc: NO_OAUTH }, only([], NO_OAUTH)),
  refused('oauth_client_id', { doc: NO_OAUTH }, only([], NO_OAUTH)),
  refused('oauth_client_secret', { isSecret: true, doc: NO_OAUTH }, only([], NO_OAUTH)),
  refused('oauth_scope', { doc: NO_OAUTH }, only([], NO_OAUTH)),
]

const byName = new Map(keywords.map((one) => [one.name, one]))

/** The keyword of that name. */
export const keywordOf = (name: string): Keyword | undefined => byName.get(name)

/** What belongs to the Python driver rather than to libpq, and why it cannot be here. */
export const pythonOnly: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'connection_factory',
    'cursor_factory',
    'async',
    'async_',
    'autocommit',
    'row_factory',
    'prepare_threshold',
    'context',
  ].map((name) => [name, 'It is a setting of the Python driver, not of the connection.']),
)
