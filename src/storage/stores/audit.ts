import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, jsonText, optional, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

/** Something that an administrator did. `actor`: the user's number; absent for what is done by a shared secret. `detail` is JSON. */
export const AUDIT_ENTRY = row({
  entry: integer(),
  writtenTs: integer(),
  actor: optional(integer()),
  action: text(),
  subject: text(),
  detail: jsonText(),
})
export type AuditEntryRow = (typeof AUDIT_ENTRY)['out']

/** An administrator did something, in the same commit. */
export const auditEntryAdded = operation('audit_entry_added', { row: AUDIT_ENTRY, statement: { insert: 'audit' } })

/** What administrators did, the last thing first, at most `limit`. */
export const auditEntries = (db: Reader, { limit }: { readonly limit: number }): Promise<AuditEntryRow[]> =>
  db.all(AUDIT_ENTRY, sql`SELECT ${AUDIT_ENTRY} FROM audit ORDER BY entry DESC LIMIT ${limit}`)
