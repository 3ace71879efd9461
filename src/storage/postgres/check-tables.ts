import type pg from 'pg'
import type { CheckOptions, Finding, TableSize } from '#storage/check/finding.ts'
import * as found from '#storage/check/findings.ts'

const MANY_DEAD = 10_000
const MUCH_BLOAT_BYTES = 8 * 1024 * 1024
const PAGE = 8192
/** Head and place of a row in its page. */
const ROW_OVERHEAD = 28

const OURS = `c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))`

/** Sizes of tables and indexes, dead rows and, by estimate, bloat; transactions that keep dead rows. */
export const checkTables = async (
  client: pg.Client,
  { longTransactionSeconds }: CheckOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly tables: readonly TableSize[] }> => {
  const { rows } = await client.query(
    `SELECT c.relname AS name, coalesce(s.n_live_tup, 0) AS live, coalesce(s.n_dead_tup, 0) AS dead, c.reltuples::float8 AS counted,
       pg_table_size(c.oid) AS bytes, pg_relation_size(c.oid) AS main, pg_indexes_size(c.oid) AS indexes,
       (SELECT sum(p.avg_width * (1 - p.null_frac)) FROM pg_stats AS p WHERE p.schemaname = s.schemaname AND p.tablename = c.relname)::float8 AS width
     FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
     WHERE c.relkind = 'r' AND ${OURS} ORDER BY pg_total_relation_size(c.oid) DESC`,
  )
  const findings: Finding[] = []
  const tables: TableSize[] = []
  for (const row of rows) {
    const [live, dead, bytes] = [Number(row.live), Number(row.dead), Number(row.bytes)]
    const table = String(row.name)
    tables.push({ name: table, rows: live, deadRows: dead, bytes, indexBytes: Number(row.indexes) })
    if (dead > MANY_DEAD && dead > live / 5) findings.push(found.deadRows({ table, dead, live }))
    const needed = neededBytes(Number(row.counted), row.width)
    const taken = Number(row.main)
    if (needed !== undefined && taken - needed > MUCH_BLOAT_BYTES && taken > 2 * needed)
      findings.push(found.bloat({ table, bytes: taken, needed }))
  }
  findings.push(...(await longTransactions(client, longTransactionSeconds)))
  return { findings, tables }
}

/** What the rows would take in pages that are filled; `undefined` where nobody counted yet. Large values are outside of them. */
function neededBytes(rows: number, width: number | null): number | undefined {
  if (rows < 0 || width === null) return undefined
  const row = ROW_OVERHEAD + Math.ceil(Math.min(width, 2000) / 8) * 8
  return Math.ceil((rows * row) / (PAGE - 24)) * PAGE
}

async function longTransactions(client: pg.Client, seconds: number): Promise<readonly Finding[]> {
  const { rows } = await client.query(
    `SELECT pid, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
       AND xact_start < clock_timestamp() - make_interval(secs => $1) ORDER BY xact_start LIMIT 10`,
    [seconds],
  )
  return rows.map((row) =>
    found.longTransaction({
      pid: Number(row.pid),
      application: String(row.application_name ?? ''),
      state: String(row.state ?? ''),
      seconds: Number(row.seconds),
    }),
  )
}
