import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { DatabaseRefused } from '#storage/database.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import { resolveParameters } from '#util/libpq/resolve.ts'

/** The part of the environment that libpq looks at. */
export type PostgresEnvironment = {
  /** The `PG*` variables. */
  readonly postgres: Readonly<Record<string, string>>
  readonly home: string | undefined
}

/** Where Debian and its kin have the socket of PostgreSQL; elsewhere it is in `/tmp`. */
const DEBIAN_SOCKETS = '/var/run/postgresql'

/** What a connection takes, from the `args` of the configuration and what libpq looks at besides. Throws `DatabaseRefused` with all that is wrong. */
export const connectionParameters = (
  args: Readonly<Record<string, string>>,
  { postgres, home }: PostgresEnvironment,
): ConnectionParameters => {
  const account = accountOf()
  const resolved = resolveParameters(args, {
    environment: postgres,
    home: home ?? account?.homedir,
    account: account?.username,
    socketFolder: existsSync(DEBIAN_SOCKETS) ? DEBIAN_SOCKETS : '/tmp',
    readFile,
  })
  if (resolved.ok) return resolved.parameters
  const sentences = resolved.problems.map(({ origin, sentence }) => `${origin}: ${sentence}`)
  throw new DatabaseRefused(`The connection to PostgreSQL cannot be made as it is configured.\n${sentences.join('\n')}`)
}

function accountOf(): { readonly username: string; readonly homedir: string } | undefined {
  try {
    return userInfo()
  } catch {
    // An account without a name, as containers have it.
    return undefined
  }
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A file that cannot be read is none, as for libpq.
    return undefined
  }
}
