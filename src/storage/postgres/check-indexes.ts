import type pg from 'pg'
import type { Finding } from '#storage/check/finding.ts'
import * as found from '#storage/check/findings.ts'

/** Indexes of a database up to this size are looked into without being asked. */
const SMALL_BYTES = 1024 ** 3

type Index = {
  readonly oid: number
  readonly index: string
  readonly table: string
  readonly isUnique: boolean
  readonly isValid: boolean
  readonly columns: readonly string[]
  readonly predicate: string | undefined
}

/** Looks into indexes: invalid ones, those that amcheck finds damaged, and duplicates that unique ones let in. */
export const checkIndexes = async (
  client: pg.Client,
  options: { readonly databaseBytes: number; readonly isFull: boolean; readonly isCollationChanged: boolean },
): Promise<readonly Finding[]> => {
  const { databaseBytes, isFull, isCollationChanged } = options
  const indexes = await indexesOf(client)
  const findings = indexes.filter(({ isValid }) => !isValid).map(({ index }) => found.indexInvalid({ index }))
  const isSmall = databaseBytes <= SMALL_BYTES
  if (isFull || isCollationChanged || isSmall)
    findings.push(...(await lookInto(client, indexes, isFull || isCollationChanged)))
  if (isFull || isCollationChanged) findings.push(...(await findDuplicates(client, indexes)))
  return findings
}

async function indexesOf(client: pg.Client): Promise<readonly Index[]> {
  const { rows } = await client.query(
    `SELECT i.indexrelid::int8 AS oid, i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS relation, i.indisunique, i.indisvalid,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) AS k) AS columns,
       pg_get_expr(i.indpred, i.indrelid) AS predicate
     FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
     WHERE a.amname = 'btree' AND c.relkind = 'i'
       AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false))) ORDER BY 2`,
  )
  return rows.map((row) => ({
    oid: Number(row.oid),
    index: String(row.name),
    table: String(row.relation),
    isUnique: row.indisunique === true,
    isValid: row.indisvalid === true,
    columns: row.columns,
    predicate: row.predicate ?? undefined,
  }))
}

/** `everyRow`: that each row is in the index, too. */
async function lookInto(client: pg.Client, indexes: readonly Index[], everyRow: boolean): Promise<readonly Finding[]> {
  const { rows } = await client.query(
    `SELECT p.oid::regproc::text AS name FROM pg_extension AS e JOIN pg_proc AS p ON p.pronamespace = e.extnamespace
     WHERE e.extname = 'amcheck' AND p.proname = 'bt_index_check' AND has_function_privilege(p.oid, 'EXECUTE') LIMIT 1`,
  )
  const check = rows[0]?.name
  if (check === undefined) return [found.amcheckMissing({})]
  const findings: Finding[] = []
  for (const { oid, index, isValid } of indexes) {
    if (!isValid) continue
    await client.query('SAVEPOINT look')
    try {
      await client.query(`SELECT ${check}($1::oid::regclass, $2)`, [oid, everyRow])
    } catch (error) {
      await client.query('ROLLBACK TO SAVEPOINT look')
      findings.push(found.indexDamaged({ index, reason: error instanceof Error ? error.message : String(error) }))
    }
  }
  return findings
}

/** Values that stand more than once where they should not, found without the help of an index. */
async function findDuplicates(client: pg.Client, indexes: readonly Index[]): Promise<readonly Finding[]> {
  for (const way of ['indexscan', 'indexonlyscan', 'bitmapscan']) await client.query(`SET LOCAL enable_${way} = off`)
  const findings: Finding[] = []
  for (const { index, table, isUnique, columns, predicate } of indexes) {
    if (!isUnique) continue
    const list = columns.join(', ')
    // NULL is not equal to NULL.
    const where = [
      ...columns.map((column) => `(${column}) IS NOT NULL`),
      ...(predicate === undefined ? [] : [predicate]),
    ]
    const { rows } = await client.query(
      `SELECT count(*) AS count FROM (SELECT 1 FROM ${table} WHERE ${where.join(' AND ')} GROUP BY ${list} HAVING count(*) > 1) AS d`,
    )
    const count = Number(rows[0]?.count)
    if (count > 0) findings.push(found.duplicates({ index, table, columns: list, count }))
  }
  return findings
}
