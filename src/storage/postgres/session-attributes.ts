import type { TargetSession } from '#util/libpq/parameters.ts'
import { ConnectFailure, failedAt } from './connect-failure.ts'
import type { Connection } from './connection.ts'
import { placeOf } from './reach.ts'

type Facts = { readonly isReadOnly: boolean; readonly isStandby: boolean }

/** Throws unless the server is of the wanted kind. https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export const isWanted = async (
  connection: Connection,
  status: ReadonlyMap<string, string>,
  wanted: TargetSession,
): Promise<void> => {
  if (wanted === 'any' || wanted === 'prefer-standby') return
  const complaint = complaints[wanted](await factsOf(connection, status))
  if (complaint === undefined) return
  throw new ConnectFailure(`${failedAt(placeOf(connection.at))}: ${complaint}`, { remedy: 'next address' })
}

const complaints: Readonly<
  Record<Exclude<TargetSession, 'any' | 'prefer-standby'>, (facts: Facts) => string | undefined>
> = {
  'read-write': ({ isReadOnly, isStandby }) => (isReadOnly || isStandby ? 'session is read-only' : undefined),
  'read-only': ({ isReadOnly, isStandby }) => (isReadOnly || isStandby ? undefined : 'session is not read-only'),
  primary: ({ isStandby }) => (isStandby ? 'server is in hot standby mode' : undefined),
  standby: ({ isStandby }) => (isStandby ? undefined : 'server is not in hot standby mode'),
}

/** The server reports both; a pooler in between may not, and is asked. */
async function factsOf({ client }: Connection, status: ReadonlyMap<string, string>): Promise<Facts> {
  const [readOnly, standby] = [status.get('default_transaction_read_only'), status.get('in_hot_standby')]
  if (readOnly !== undefined && standby !== undefined)
    return { isReadOnly: readOnly === 'on', isStandby: standby === 'on' }
  const { rows } = await client.query(
    "SELECT current_setting('transaction_read_only') AS read_only, pg_catalog.pg_is_in_recovery() AS standby",
  )
  return { isReadOnly: rows[0].read_only === 'on', isStandby: rows[0].standby === true }
}
