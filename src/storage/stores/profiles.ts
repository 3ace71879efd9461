import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, position, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** A field of a profile; the value is JSON. */
export const PROFILE_FIELD = row({ user: integer(), field: text(), value: jsonText(), pos: position() })
export type ProfileFieldRow = (typeof PROFILE_FIELD)['out']

const scope = ({ user, field }: { readonly user: number; readonly field: string }) => `profile:${user}:${field}`

/** A field of a profile has another value. */
export const profileFieldSet = operation('profile_field_set', {
  row: PROFILE_FIELD,
  statement: { upsert: 'profile_fields', key: ['user', 'field'], prunesLog: true },
  scope,
  fold: 'next batch',
})

/** A profile has that field no more. */
export const profileFieldRemoved = operation('profile_field_removed', {
  row: row({ user: integer(), field: text() }),
  statement: { remove: 'profile_fields', where: 't."user" = :user AND t.field = :field' },
  scope,
  fold: 'next batch',
})

/** A user has no profile any more. */
export const profileRemoved = operation('profile_removed', {
  row: row({ user: integer() }),
  statement: { remove: 'profile_fields', where: 't."user" = :user' },
  scope: ({ user }) => `profile:${user}`,
  fold: 'next batch',
})

/**
 * The profile has at most `maxBytes` as JSON once `field` has a value that takes `bytes` (`"field":value` and a comma). What names a field needs
 * no escapes in JSON.
 */
export const profileFits = condition('profile_fits', {
  row: row({ user: integer(), field: text(), bytes: integer(), maxBytes: integer() }),
  holds: `(SELECT coalesce(sum(octet_length(field) + octet_length(value) + 4), 0) FROM profile_fields
    WHERE "user" = :user AND field <> :field) + :bytes + 1 <= :max_bytes`,
  scope: ({ user }) => `profile:${user}`,
})

/** All fields of a user's profile. */
export const profileOf = (db: Reader, user: number): Promise<ProfileFieldRow[]> =>
  db.all(PROFILE_FIELD, sql`SELECT ${PROFILE_FIELD} FROM profile_fields WHERE "user" = ${user} ORDER BY field`)

/** One field of a user's profile, or `undefined`. */
export const profileField = (db: Reader, user: number, field: string): Promise<ProfileFieldRow | undefined> =>
  db.get(
    PROFILE_FIELD,
    sql`SELECT ${PROFILE_FIELD} FROM profile_fields WHERE "user" = ${user} AND field = ${textValue(field)}`,
  )
