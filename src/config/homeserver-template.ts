/** What a new configuration says. Folders and files are absolute, as Synapse's are: relative ones would depend on where the server is started. */
export type Draft = {
  readonly serverName: string
  readonly databasePath: string
  readonly mediaStorePath: string
  readonly signingKeyPath: string
  readonly pidFile: string | undefined
  /** Listen on all addresses rather than only for programs on this machine. */
  readonly isOpenToNetwork: boolean
  readonly log: { readonly kind: 'ours' } | { readonly kind: 'python'; readonly path: string }
  readonly registrationSecret: Secret
  readonly isRegistrationOpen: boolean
  readonly areMetricsEnabled: boolean
  /** Said in the file where it is said at all, since Synapse does not start without it. */
  readonly reportsStats: boolean | undefined
}
type Secret =
  | { readonly kind: 'inline'; readonly value: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' }

/** The text of a `homeserver.yaml`, with what an administrator needs to know beside each option. */
export function homeserverYaml(draft: Draft): string {
  const parts = [
    INTRODUCTION,
    `# The part after the colon in every user ID. It cannot be changed later.
server_name: ${quote(draft.serverName)}`,
    `# Where clients reach this server, if it is not https://<server_name>/.
#public_baseurl: "https://matrix.example.com/"`,
    ...(draft.pidFile === undefined ? [] : [`pid_file: ${quote(draft.pidFile)}`]),
    listeners(draft),
    database(draft.databasePath),
    `# The files that users upload, and the largest that they may.
media_store_path: ${quote(draft.mediaStorePath)}
max_upload_size: 50M`,
    log(draft.log),
    registration(draft),
    `# What the server signs with. Keep it secret, and keep a copy: the server is not itself without it.
signing_key_path: ${quote(draft.signingKeyPath)}`,
    ...(draft.areMetricsEnabled ? ['enable_metrics: true'] : []),
    ...(draft.reportsStats === undefined ? [] : [`report_stats: ${draft.reportsStats}`]),
  ]
  return `${parts.join('\n\n')}\n`
}

const INTRODUCTION = `# The configuration of a Matrix homeserver. All options are in docs/configuration.md;
# an existing homeserver.yaml of Synapse can be used as it is.
#
# \`myelin check-config -c homeserver.yaml\` says what is wrong with it, and what has no effect.`

/** A JSON text is a YAML text as well. */
const quote = (value: string): string => JSON.stringify(value)

const listeners = ({ isOpenToNetwork, areMetricsEnabled }: Draft): string =>
  `# Behind a reverse proxy that does TLS: it must set X-Forwarded-For, or x_forwarded must be false.
listeners:
  - port: 8008
    type: http
    x_forwarded: true
${isOpenToNetwork ? '' : "    bind_addresses: ['::1', '127.0.0.1']\n"}    resources:
      - names: [client, federation]${areMetricsEnabled ? METRICS : ''}`

const METRICS = `
  - port: 9090
    type: metrics
    bind_addresses: ['::1', '127.0.0.1']`

const database = (path: string): string => `# One file. For PostgreSQL:
#database:
#  name: psycopg2
#  args: {user: synapse_user, password: secret, dbname: synapse, host: localhost, cp_min: 5, cp_max: 10}
database:
  name: sqlite3
  args:
    database: ${quote(path)}`

const log = (log: Draft['log']): string =>
  log.kind === 'python'
    ? `log_config: ${quote(log.path)}`
    : `# fatal, error, warn, info, debug or trace; text for people, json for programs; to a file, if one is named.
logging:
  level: info
  format: text`

function registration({ registrationSecret, isRegistrationOpen }: Draft): string {
  const open = isRegistrationOpen
    ? 'enable_registration: true\nregistration_requires_token: true'
    : `# To let everybody make an account who has a token from you:
#enable_registration: true
#registration_requires_token: true`
  const about = '\n\n# Who knows this secret can make accounts, as `myelin register-user` does.\n'
  if (registrationSecret.kind === 'none') return open
  return registrationSecret.kind === 'inline'
    ? `${open}${about}registration_shared_secret: ${quote(registrationSecret.value)}`
    : `${open}${about}registration_shared_secret_path: ${quote(registrationSecret.path)}`
}
