import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, optional, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** A token that lets people register. `pending`: claimed by registrations under way; `completed`: used. */
export const REGISTRATION_TOKEN = row({
  token: text(),
  usesAllowed: optional(integer()),
  pending: integer(),
  completed: integer(),
  expiresTs: optional(integer()),
})
export type RegistrationTokenRow = (typeof REGISTRATION_TOKEN)['out']

const BY_TOKEN = row({ token: text() })
const scope = ({ token }: { readonly token: string }) => `registration token:${token}`

/** A token is issued. */
export const registrationTokenAdded = operation('registration_token_added', {
  row: REGISTRATION_TOKEN,
  statement: { insert: 'registration_tokens' },
  scope,
  fold: 'next batch',
})

/** A registration under way takes one use of the token. */
export const registrationTokenClaimed = operation('registration_token_claimed', {
  row: BY_TOKEN,
  statement: { update: 'registration_tokens', set: 'pending = t.pending + 1', where: 't.token = :token' },
  scope,
  fold: 'next batch',
})

/** A registration that had claimed a use gave up. */
export const registrationTokenReleased = operation('registration_token_released', {
  row: BY_TOKEN,
  statement: { update: 'registration_tokens', set: 'pending = t.pending - 1', where: 't.token = :token' },
  scope,
  fold: 'next batch',
})

/** A registration that had claimed a use came to its end. */
export const registrationTokenUsed = operation('registration_token_used', {
  row: BY_TOKEN,
  statement: {
    update: 'registration_tokens',
    set: 'pending = t.pending - 1, completed = t.completed + 1',
    where: 't.token = :token',
  },
  scope,
  fold: 'next batch',
})

/** The token has a use left and has not run out. */
export const registrationTokenGood = condition('registration_token_good', {
  row: row({ token: text(), now: integer() }),
  holds: `EXISTS (SELECT 1 FROM registration_tokens WHERE token = :token
    AND (uses_allowed IS NULL OR pending + completed < uses_allowed) AND (expires_ts IS NULL OR expires_ts > :now))`,
  scope,
})

/** As the condition, for a token that was read. */
export const isGood = ({ usesAllowed, pending, completed, expiresTs }: RegistrationTokenRow, now: number): boolean =>
  (usesAllowed === undefined || pending + completed < usesAllowed) && (expiresTs === undefined || expiresTs > now)

/** The token of that text, or `undefined`. */
export const registrationTokenOf = (db: Reader, token: string): Promise<RegistrationTokenRow | undefined> =>
  db.get(
    REGISTRATION_TOKEN,
    sql`SELECT ${REGISTRATION_TOKEN} FROM registration_tokens WHERE token = ${textValue(token)}`,
  )
