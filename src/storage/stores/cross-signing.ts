import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, row, text } from '#storage/row.ts'
import { oneOf, sql } from '#storage/sql.ts'

/** What a cross-signing key is for. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export type KeyUsage = 'master' | 'self_signing' | 'user_signing'

/** A cross-signing key of a user, as canonical JSON. */
export const CROSS_SIGNING_KEY = row({ user: integer(), usage: text<KeyUsage>(), publicKey: text(), key: jsonText() })
export type CrossSigningKeyRow = (typeof CROSS_SIGNING_KEY)['out']

const scope = ({ user }: { readonly user: number }) => `cross-signing keys:${user}`

/** A user has this key for that usage from now on. Written under `crossSigningUnchanged`. */
export const crossSigningKeySet = operation('cross_signing_key_set', {
  row: CROSS_SIGNING_KEY,
  statement: { upsert: 'cross_signing_keys', key: ['user', 'usage'] },
  scope,
})

/** A user has no key for that usage any more. Written under `crossSigningUnchanged`. */
export const crossSigningKeyRemoved = operation('cross_signing_key_removed', {
  row: row({ user: integer(), usage: text<KeyUsage>() }),
  statement: { remove: 'cross_signing_keys', where: 't."user" = :user AND t.usage = :usage' },
  scope,
})

const stored = (usage: KeyUsage) =>
  `coalesce((SELECT public_key FROM cross_signing_keys WHERE "user" = :user AND usage = '${usage}'), '')`

/** The user's public keys are these still; '' where there is none. */
export const crossSigningUnchanged = condition('cross_signing_unchanged', {
  row: row({ user: integer(), master: text(), selfSigning: text(), userSigning: text() }),
  holds: `${stored('master')} = :master AND ${stored('self_signing')} = :self_signing
    AND ${stored('user_signing')} = :user_signing`,
  scope,
})

/** The user's master key is this one still. */
export const masterKeyIs = condition('master_key_is', {
  row: row({ user: integer(), publicKey: text() }),
  holds: `${stored('master')} = :public_key`,
  scope,
})

/** None of the user's devices has the public key for its ID. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export const publicKeyNoDevice = condition('public_key_no_device', {
  row: row({ user: integer(), publicKey: text() }),
  holds: 'NOT EXISTS (SELECT 1 FROM devices WHERE "user" = :user AND device_id = :public_key)',
  scope: ({ user, publicKey }) => `device:${user}:${publicKey}`,
})

/** The cross-signing keys of these users. */
export const crossSigningKeysOf = (db: Reader, users: Iterable<number>): Promise<CrossSigningKeyRow[]> =>
  db.all(CROSS_SIGNING_KEY, sql`SELECT ${CROSS_SIGNING_KEY} FROM cross_signing_keys WHERE "user" ${oneOf(users)}`)
