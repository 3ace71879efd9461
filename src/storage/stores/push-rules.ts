import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, position, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

/** What a user said about push rules, as JSON. Who said nothing has no row. */
export const PUSH_RULES = row({
  user: integer(),
  rules: jsonText(),
  /** They judge some events otherwise than the default rules do. */
  isCustom: boolean(),
  pos: position(),
})
export type PushRulesRow = (typeof PUSH_RULES)['out']

const scope = ({ user }: { readonly user: number }) => `push rules:${user}`

/** A user has other push rules. */
export const pushRulesSet = operation('push_rules_set', {
  row: PUSH_RULES,
  statement: { upsert: 'push_rules', key: ['user'], prunesLog: true },
  scope,
  fold: 'next batch',
})

/** The user said nothing more since the rules were read; `pos` is 0 where they had said nothing. */
export const pushRulesUnchanged = condition('push_rules_unchanged', {
  row: row({ user: integer(), pos: integer() }),
  holds: 'coalesce((SELECT pos FROM push_rules WHERE "user" = :user), 0) = :pos',
  scope,
})

/** What a user said about push rules, or `undefined`. */
export const pushRulesOf = (db: Reader, user: number): Promise<PushRulesRow | undefined> =>
  db.get(PUSH_RULES, sql`SELECT ${PUSH_RULES} FROM push_rules WHERE "user" = ${user}`)

const USER = row({ user: integer() })
/** The users whose rules are not the default ones, in the order of their numbers, `limit` after `after`. */
export const customRuleUsers = async (
  db: Reader,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<number[]> => {
  const rows = await db.all(
    USER,
    sql`SELECT ${USER} FROM push_rules WHERE is_custom AND "user" > ${after} ORDER BY "user" LIMIT ${limit}`,
  )
  return rows.map(({ user }) => user)
}
