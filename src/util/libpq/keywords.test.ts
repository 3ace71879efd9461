import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keywordOf, keywords } from './keywords.ts'

/** What `PQconndefaults` of libpq 18.4 lists, each with its environment variable. */
const LIBPQ_18 = `service PGSERVICE, user PGUSER, password PGPASSWORD, passfile PGPASSFILE, channel_binding PGCHANNELBINDING,
connect_timeout PGCONNECT_TIMEOUT, dbname PGDATABASE, host PGHOST, hostaddr PGHOSTADDR, port PGPORT, client_encoding PGCLIENTENCODING,
options PGOPTIONS, application_name PGAPPNAME, fallback_application_name, keepalives, keepalives_idle, keepalives_interval,
keepalives_count, tcp_user_timeout, sslmode PGSSLMODE, sslnegotiation PGSSLNEGOTIATION, sslcompression PGSSLCOMPRESSION,
sslcert PGSSLCERT, sslkey PGSSLKEY, sslcertmode PGSSLCERTMODE, sslpassword, sslrootcert PGSSLROOTCERT, sslcrl PGSSLCRL,
sslcrldir PGSSLCRLDIR, sslsni PGSSLSNI, requirepeer PGREQUIREPEER, require_auth PGREQUIREAUTH, min_protocol_version PGMINPROTOCOLVERSION,
max_protocol_version PGMAXPROTOCOLVERSION, ssl_min_protocol_version PGSSLMINPROTOCOLVERSION,
ssl_max_protocol_version PGSSLMAXPROTOCOLVERSION, gssencmode PGGSSENCMODE, krbsrvname PGKRBSRVNAME, gsslib PGGSSLIB,
gssdelegation PGGSSDELEGATION, replication, target_session_attrs PGTARGETSESSIONATTRS, load_balance_hosts PGLOADBALANCEHOSTS,
scram_client_key, scram_server_key, oauth_issuer, oauth_client_id, oauth_client_secret, oauth_scope, sslkeylogfile`

test('every parameter of libpq 18 is declared, with its environment variable, and no other but servicefile', () => {
  const declared = keywords.map(({ name, variable }) => (variable === undefined ? name : `${name} ${variable}`))
  const expected = [...LIBPQ_18.split(/,\s+/), 'servicefile PGSERVICEFILE']
  assert.deepEqual([...declared].sort(), [...expected].sort())
})

test('what cannot be honoured is refused, with the reason, and what asks for nothing is let through', () => {
  const judge = (name: string, value: string) => keywordOf(name)?.judge(value)
  for (const [name, value, reason] of [
    ['gssencmode', 'require', /GSSAPI/],
    ['krbsrvname', 'db', /GSSAPI/],
    ['gsslib', 'gssapi', /GSSAPI/],
    ['gssdelegation', '1', /GSSAPI/],
    ['oauth_issuer', 'https://a', /OAuth/],
    ['oauth_client_id', 'a', /OAuth/],
    ['oauth_client_secret', 'a', /OAuth/],
    ['oauth_scope', 'a', /OAuth/],
    ['scram_client_key', 'AAAA', /password/],
    ['scram_server_key', 'AAAA', /password/],
    ['replication', 'database', /replica/],
    ['sslcertmode', 'require', /clientcert/],
    ['client_encoding', 'LATIN1', /UTF-8/],
    ['sslmode', 'required', /Expected one of disable, allow/],
    ['port', '5432,x', /port from 1 to 65535/],
    ['port', '70000', /port from 1 to 65535/],
    ['keepalives_idle', '10s', /whole number/],
    ['keepalives_idle', '-1', /0 to 32767/],
    ['keepalives_interval', '40000', /0 to 32767/],
    ['keepalives_count', '128', /0 to 127/],
    ['hostaddr', '127.0.0.1,localhost', /an address of IPv4 or IPv6, and got "localhost"/],
    ['sslmode', '', /Expected one of disable/],
    ['require_auth', '', /Expected methods/],
    ['connect_timeout', '', /whole number/],
    ['require_auth', 'md5,!password', /before all/],
    ['ssl_min_protocol_version', 'SSLv3', /TLSv1\.2/],
  ] as const)
    assert.match(judge(name, value) ?? '', reason, name)
  for (const [name, value] of [
    ['gssencmode', 'prefer'],
    ['krbsrvname', 'postgres'],
    ['gssdelegation', '0'],
    ['replication', 'false'],
    ['client_encoding', 'utf8'],
    ['ssl_min_protocol_version', 'tlsv1.3'],
    ['connect_timeout', ' -1 '],
    ['port', '5432,,5433'],
    ['hostaddr', '127.0.0.1,,::1,fe80::1%lo'],
    ['keepalives_count', '127'],
    ['ssl_max_protocol_version', ''],
    ['client_encoding', ''],
    ['password', ''],
  ] as const)
    assert.equal(judge(name, value), undefined, name)
})
