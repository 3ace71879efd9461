import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, row, text } from '#storage/row.ts'
import { oneOf, sql } from '#storage/sql.ts'

/** A signature over a device's keys or a cross-signing key that came apart from them. `target`: the device's ID or the public key. */
export const KEY_SIGNATURE = row({
  signedUser: integer(),
  target: text(),
  signer: integer(),
  keyId: text(),
  signature: text(),
})
export type KeySignatureRow = (typeof KEY_SIGNATURE)['out']

const scope = ({ signedUser }: { readonly signedUser: number }) => `key signatures:${signedUser}`

/** Something is signed by a key. */
export const keySignatureSet = operation('key_signature_set', {
  row: KEY_SIGNATURE,
  statement: { upsert: 'key_signatures', key: ['signed_user', 'target', 'signer', 'key_id'] },
  scope: (one) => `${scope(one)}:${one.signer}:${one.keyId}:${one.target}`,
  fold: 'last wins',
})

/** What was signed is not there any more, or is another key. */
export const keySignaturesRemoved = operation('key_signatures_removed', {
  row: row({ signedUser: integer(), target: text() }),
  statement: { remove: 'key_signatures', where: 't.signed_user = :signed_user AND t.target = :target' },
})

/** A key by which a user signed what is their own is not theirs any more. */
export const ownSignaturesRemoved = operation('own_signatures_removed', {
  row: row({ user: integer(), keyId: text() }),
  statement: {
    remove: 'key_signatures',
    where: 't.signed_user = :user AND t.signer = :user AND t.key_id = :key_id',
  },
})

/** The signatures on keys of these users that they made themselves or that `viewer` made, at most `limit`. */
export const visibleSignatures = (
  db: Reader,
  users: Iterable<number>,
  { viewer, limit }: { readonly viewer: number; readonly limit: number },
): Promise<KeySignatureRow[]> =>
  db.all(
    KEY_SIGNATURE,
    sql`SELECT ${KEY_SIGNATURE} FROM key_signatures
      WHERE signed_user ${oneOf(users)} AND (signer = signed_user OR signer = ${viewer}) LIMIT ${limit}`,
  )
