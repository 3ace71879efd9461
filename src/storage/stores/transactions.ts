import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, optional, row, text } from '#storage/row.ts'
import { oneOf, sql, textValue } from '#storage/sql.ts'

/** What a transaction ID of a device brought about. `path` is the request's path without the transaction ID. */
export const TRANSACTION = row({
  user: integer(),
  deviceId: text(),
  path: text(),
  txnId: text(),
  answer: text(),
  event: optional(integer()),
  writtenTs: integer(),
})
/** Whose transaction, for what. https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers */
export type TransactionKey = {
  readonly user: number
  readonly deviceId: string
  readonly path: string
  readonly txnId: string
}

const scope = ({ user, deviceId, path, txnId }: TransactionKey) => `transaction:${user}:${deviceId}:${path}:${txnId}`

/** A transaction took effect, in the same commit as its effect. */
export const transactionAdded = operation('transaction_added', {
  row: TRANSACTION,
  statement: { insert: 'transactions' },
  scope,
  fold: 'next batch',
})

/** The transaction did not take effect yet. */
export const transactionNew = condition('transaction_new', {
  row: row({ user: integer(), deviceId: text(), path: text(), txnId: text() }),
  holds: `NOT EXISTS (SELECT 1 FROM transactions
    WHERE "user" = :user AND device_id = :device_id AND path = :path AND txn_id = :txn_id)`,
  scope,
})

const ANSWER = row({ answer: text() })
/** What the transaction was answered, or `undefined` if it is new. */
export const transactionAnswer = async (db: Reader, key: TransactionKey): Promise<string | undefined> => {
  const found = await db.get(
    ANSWER,
    sql`SELECT ${ANSWER} FROM transactions WHERE "user" = ${key.user} AND device_id = ${textValue(key.deviceId)}
      AND path = ${textValue(key.path)} AND txn_id = ${textValue(key.txnId)}`,
  )
  return found?.answer
}

const NAME = row({ path: text(), txnId: text() })
/** Paths and IDs of a device's transactions, `limit` at most. */
export const transactionsOfDevice = (
  db: Reader,
  { user, deviceId }: Pick<TransactionKey, 'user' | 'deviceId'>,
  limit: number,
): Promise<(typeof NAME)['out'][]> =>
  db.all(
    NAME,
    sql`SELECT ${NAME} FROM transactions WHERE "user" = ${user} AND device_id = ${textValue(deviceId)} LIMIT ${limit}`,
  )

const SENT = row({ event: integer(), deviceId: text(), txnId: text() })
/** The transaction IDs by which a user sent these events, by device. */
export const transactionsOfEvents = (
  db: Reader,
  user: number,
  events: Iterable<number>,
): Promise<(typeof SENT)['out'][]> =>
  db.all(SENT, sql`SELECT ${SENT} FROM transactions WHERE event ${oneOf(events)} AND "user" = ${user}`)
