import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

/** A filter that a user uploaded, as JSON. */
export const FILTER = row({ user: integer(), filter: integer(), definition: jsonText() })

/** A user uploads a filter. */
export const filterAdded = operation('filter_added', { row: FILTER, statement: { insert: 'filters' } })

/** The user has no filter of this definition, and fewer than `limit` of all. */
export const filterNew = condition('filter_new', {
  row: row({ user: integer(), definition: jsonText(), limit: integer() }),
  holds: `NOT EXISTS (SELECT 1 FROM filters WHERE "user" = :user AND definition = :definition)
    AND (SELECT count(*) FROM filters WHERE "user" = :user) < :limit`,
  scope: ({ user }) => `filters:${user}`,
})

const DEFINITION = row({ definition: jsonText() })
/** The definition of a user's filter, or `undefined`. */
export const filterOf = async (db: Reader, user: number, filter: number): Promise<string | undefined> =>
  (await db.get(DEFINITION, sql`SELECT ${DEFINITION} FROM filters WHERE "user" = ${user} AND filter = ${filter}`))
    ?.definition

const NUMBER = row({ filter: integer() })
/** The number of a filter of the user with just this definition, or `undefined`. */
export const filterLike = async (db: Reader, user: number, definition: string): Promise<number | undefined> =>
  (
    await db.get(
      NUMBER,
      sql`SELECT ${NUMBER} FROM filters WHERE "user" = ${user} AND definition = ${definition} LIMIT 1`,
    )
  )?.filter
