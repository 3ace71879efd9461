import { keywords } from './keywords.ts'

/** The table of all connection parameters, in Markdown. */
export const keywordManual = (): string => `${[INTRODUCTION, TABLE_HEAD, ...keywords.map(rowOf)].join('\n')}\n`

const INTRODUCTION = `# Connection parameters of PostgreSQL

Generated from the declarations in \`src/util/libpq/keywords.ts\`; \`node tools/keyword-docs.ts\` writes it anew.

These are all the [parameters of libpq](https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS) of PostgreSQL 18, and
\`servicefile\` of PostgreSQL 19. They may stand in \`database.args\`, in a connection string under \`dsn\` there, in a service file, or in the
environment; the first of these counts. *Honoured* means that a parameter does what it does in libpq. A parameter that cannot be honoured is
refused at the start, by name and with the reason, and none is ignored in silence.

What keeps a lost connection from blocking the server: the keepalives of TCP are set as configured, and a heartbeat with the same bound sees
what they cannot: a server that is frozen, or a query in flight. When a connection has been silent for
\`keepalives_idle\` + \`keepalives_interval\` × \`keepalives_count\` seconds (10 + 10 × 3 where they are left out), the server is probed on a fresh
connection. If that fails within \`keepalives_interval\` × \`keepalives_count\` seconds, all connections are closed, and requests are answered with
an error until the database is back, which is noticed within a second. A slow query on a server that lives is left alone.
`
const TABLE_HEAD = `| Parameter | Variable | Default | | |
| --- | --- | --- | --- | --- |`

const rowOf = ({ name, variable, default: otherwise, standing, doc }: (typeof keywords)[number]): string =>
  `| \`${name}\` | ${code(variable)} | ${code(otherwise)} | ${standing} | ${doc} |`

const code = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``)
