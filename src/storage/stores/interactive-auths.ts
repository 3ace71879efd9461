import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** An interactive authentication under way. `request` is sealed, `completed` JSON: see the service. */
export const INTERACTIVE_AUTH = row({ id: text(), createdTs: integer(), request: text(), completed: jsonText() })
export type InteractiveAuthRow = (typeof INTERACTIVE_AUTH)['out']

const MOVED = row({ id: text(), completed: jsonText() })
const scope = ({ id }: { readonly id: string }) => `interactive auth:${id}`

/** An interactive authentication begins. */
export const interactiveAuthAdded = operation('interactive_auth_added', {
  row: INTERACTIVE_AUTH,
  statement: { insert: 'interactive_auths' },
  scope,
  fold: 'next batch',
})

/** A stage is done. */
export const interactiveAuthMoved = operation('interactive_auth_moved', {
  row: MOVED,
  statement: { update: 'interactive_auths', set: 'completed = :completed', where: 't.id = :id' },
  scope,
  fold: 'next batch',
})

/** An interactive authentication is over. */
export const interactiveAuthRemoved = operation('interactive_auth_removed', {
  row: row({ id: text() }),
  statement: { remove: 'interactive_auths', where: 't.id = :id' },
  scope,
  fold: 'next batch',
})

/** The interactive authentication is there and stands where it stood. */
export const interactiveAuthUnchanged = condition('interactive_auth_unchanged', {
  row: MOVED,
  holds: 'EXISTS (SELECT 1 FROM interactive_auths WHERE id = :id AND completed = :completed)',
  scope,
})

/** The interactive authentication of that ID, or `undefined`. */
export const interactiveAuthOf = (db: Reader, id: string): Promise<InteractiveAuthRow | undefined> =>
  db.get(INTERACTIVE_AUTH, sql`SELECT ${INTERACTIVE_AUTH} FROM interactive_auths WHERE id = ${textValue(id)}`)

/** Those that began at that time or before, the oldest first, at most `limit`. */
export const interactiveAuthsUntil = (db: Reader, until: number, limit: number): Promise<InteractiveAuthRow[]> =>
  db.all(
    INTERACTIVE_AUTH,
    sql`SELECT ${INTERACTIVE_AUTH} FROM interactive_auths WHERE created_ts <= ${until} ORDER BY created_ts LIMIT ${limit}`,
  )

const BEGUN = row({ createdTs: integer() })
/** When the one began that has `newer` younger ones; `undefined` if there are fewer. */
export const interactiveAuthBehind = async (db: Reader, newer: number): Promise<number | undefined> => {
  const found = await db.get(
    BEGUN,
    sql`SELECT ${BEGUN} FROM interactive_auths ORDER BY created_ts DESC LIMIT 1 OFFSET ${newer}`,
  )
  return found?.createdTs
}
