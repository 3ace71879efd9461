import type pg from 'pg'
import { DatabaseRefused } from '#storage/database.ts'

const OLDEST_MAJOR = 14

/** What a database says of itself, as far as it matters before anything is written to it. */
type Facts = {
  readonly version: string
  readonly database: string
  readonly encoding: string
  /** `c` for the system's library, `i` for ICU, `b` for PostgreSQL's own. */
  readonly provider: string
  readonly collate: string
  readonly ctype: string
  /** The locale of ICU or of PostgreSQL's own provider. */
  readonly locale: string | undefined
  /** The version of the collation that indexes were made with, and the one that is installed. */
  readonly recorded: string | undefined
  readonly installed: string | undefined
}

/** What was found of a server that may be used. */
export type ServerCheck = { readonly version: string; readonly warnings: readonly string[] }

/**
 * Refuses a server that is too old, a database that cannot hold all text, and one whose order of text can change with the operating system,
 * unless that is allowed. Each refusal has the commands that make it right.
 */
export const checkServer = async (client: pg.Client, allowsUnsafeLocale: boolean): Promise<ServerCheck> => {
  const facts = await factsOf(client)
  const { version, database, encoding } = facts
  if (encoding !== 'UTF8')
    throw new DatabaseRefused(
      `The database ${database} has the encoding ${encoding}; Myelin needs UTF8. ${anew(database)}`,
    )
  const unsafe = localeComplaint(facts)
  if (unsafe !== undefined && !allowsUnsafeLocale)
    throw new DatabaseRefused(
      `${unsafe} An update of the operating system can change such an order, and indexes are wrong then. ${anew(database)} ` +
        'If it holds data already, dump that and restore it there: pg_dump, then psql. Or set allow_unsafe_locale: true in the database section.',
    )
  const changed = versionComplaint(facts)
  return { version, warnings: [unsafe, changed].filter((one) => one !== undefined) }
}

const anew = (database: string): string =>
  `Make it anew with: createdb --encoding=UTF8 --locale=C --template=template0 --owner=OWNER ${database}`

async function factsOf(client: pg.Client): Promise<Facts> {
  const { rows: versions } = await client.query('SHOW server_version')
  const version = String(versions[0]?.server_version)
  const major = Number.parseInt(version, 10)
  if (major < OLDEST_MAJOR)
    throw new DatabaseRefused(`Myelin needs PostgreSQL ${OLDEST_MAJOR} or later; the server is ${version}.`)
  const locale = major >= 17 ? 'datlocale' : major >= 15 ? 'daticulocale' : 'NULL'
  const { rows } = await client.query(
    `SELECT datname, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,
       ${major >= 15 ? 'datlocprovider' : "'c'"} AS provider, ${locale} AS locale,
       ${major >= 15 ? 'datcollversion' : 'NULL'} AS recorded,
       ${major >= 15 ? 'pg_database_collation_actual_version(oid)' : 'NULL'} AS installed
     FROM pg_database WHERE datname = current_database()`,
  )
  const found = rows[0]
  if (found === undefined) throw new DatabaseRefused('PostgreSQL did not say which database this is.')
  return {
    version,
    database: String(found.datname),
    encoding: String(found.encoding),
    provider: String(found.provider),
    collate: String(found.datcollate),
    ctype: String(found.datctype),
    locale: found.locale ?? undefined,
    recorded: found.recorded ?? undefined,
    installed: found.installed ?? undefined,
  }
}

/** What is unsafe about the order of text; `undefined` where it is that of the code points, for good. */
function localeComplaint({ database, provider, collate, ctype, locale }: Facts): string | undefined {
  // PostgreSQL's own locales order by code points and do not depend on the system.
  if (provider === 'b') return undefined
  if (provider === 'i') return `The database ${database} orders text by ICU (locale ${locale}) instead of C.`
  const isC = (name: string) => name === 'C' || name === 'POSIX'
  const wrong = [...(isC(collate) ? [] : [`COLLATE is ${collate}`]), ...(isC(ctype) ? [] : [`CTYPE is ${ctype}`])]
  return wrong.length === 0
    ? undefined
    : `The database ${database} has a wrong locale: ${wrong.join(' and ')} instead of C.`
}

function versionComplaint({ database, recorded, installed }: Facts): string | undefined {
  if (recorded === undefined || installed === undefined || recorded === installed) return undefined
  return (
    `The collation of the database ${database} was version ${recorded} when it was made, and is ${installed} now: the operating system was ` +
    `updated under it. Stop Myelin and run: psql ${database} -c 'REINDEX DATABASE "${database}"' ` +
    `-c 'ALTER DATABASE "${database}" REFRESH COLLATION VERSION'`
  )
}
