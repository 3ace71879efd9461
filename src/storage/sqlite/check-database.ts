import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { CheckOptions, CheckReport, Finding, TableSize } from '#storage/check/finding.ts'
import * as found from '#storage/check/findings.ts'
import { examine } from '#storage/counters/at-start.ts'
import { DatabaseRefused } from '#storage/database.ts'
import { pendingMigrations, readMigrations } from '#storage/migrate.ts'
import { wrongServerName } from '#storage/wrong-database.ts'
import { runAsking } from './ask.ts'
import { schemaState } from './schema.ts'

/** Four times what a running server lets it grow to. */
const LARGE_LOG_BYTES = 256 * 1024 * 1024
const MUCH_FREE_BYTES = 16 * 1024 * 1024
const LITTLE_DISK_BYTES = 1024 * 1024 * 1024

/** Checks the file without changing it. It works while a server has it open. */
export const checkSqlite = (path: string, options: CheckOptions): CheckReport => {
  const findings: Finding[] = []
  const tables: TableSize[] = []
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  let database = 'SQLite'
  try {
    if (size > 0) {
      using db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
      database = `SQLite ${text(db, 'SELECT sqlite_version()')}, ${path}`
      // One view of everything, whatever a server writes meanwhile.
      db.exec('BEGIN')
      const problems = integrity(db, options.isFull)
      if (problems.length > 0) findings.push(found.fileDamaged({ path, reason: problems.join('; ') }))
      else {
        findings.push(...contents(db, options))
        tables.push(...sizes(db, options.isFull))
      }
      findings.push(...pages(db, path))
    } else findings.push(found.empty({}))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    findings.push(error instanceof DatabaseRefused ? found.refused({ reason }) : found.fileDamaged({ path, reason }))
  }
  findings.push(...files(path))
  return { database, bytes: size, findings, tables, settings: [] }
}

const value = (db: DatabaseSync, query: string): unknown => Object.values(db.prepare(query).get() ?? {})[0]
const text = (db: DatabaseSync, query: string): string => String(value(db, query))
const number = (db: DatabaseSync, query: string): number => Number(value(db, query))

function integrity(db: DatabaseSync, isFull: boolean): readonly string[] {
  const rows = db.prepare(isFull ? 'PRAGMA integrity_check(10)' : 'PRAGMA quick_check(10)').all()
  return rows.map((row) => String(Object.values(row)[0])).filter((one) => one !== 'ok')
}

function contents(db: DatabaseSync, { serverName, isFull }: CheckOptions): readonly Finding[] {
  const state = schemaState(db)
  if (state.kind === 'empty') return [found.empty({})]
  const pending = pendingMigrations(state, readMigrations())
  if (pending.length > 0) return [found.migrationsDue({ count: pending.length })]
  const owner = db.prepare('SELECT server_name FROM deployment').get()?.['server_name']
  if (owner !== undefined && owner !== serverName) throw wrongServerName(String(owner), serverName)
  const damages = runAsking(db, examine('sqlite', { kind: isFull ? 'every row' : 'all rooms' }))
  return damages.map((damage) =>
    damage.safe === undefined ? found.counterWrong(damage) : found.counterMendable(damage),
  )
}

/** Sizes by table, where this SQLite can tell: it reads every page. */
function sizes(db: DatabaseSync, isFull: boolean): readonly TableSize[] {
  if (!isFull) return []
  const compiled = db
    .prepare('PRAGMA compile_options')
    .all()
    .map((row) => String(Object.values(row)[0]))
  if (!compiled.includes('ENABLE_DBSTAT_VTAB')) return []
  const rows = db
    .prepare(
      `SELECT s.tbl_name AS name, sum(CASE WHEN s.type = 'table' THEN d.pgsize ELSE 0 END) AS bytes,
         sum(CASE WHEN s.type = 'index' THEN d.pgsize ELSE 0 END) AS indexes
       FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name WHERE d.aggregate GROUP BY s.tbl_name ORDER BY 2 + 3 DESC`,
    )
    .all()
  return rows.map((row) => ({
    name: String(row['name']),
    rows: undefined,
    deadRows: undefined,
    bytes: Number(row['bytes']),
    indexBytes: Number(row['indexes']),
  }))
}

function pages(db: DatabaseSync, path: string): readonly Finding[] {
  const pageSize = number(db, 'PRAGMA page_size')
  const bytes = number(db, 'PRAGMA page_count') * pageSize
  const free = number(db, 'PRAGMA freelist_count') * pageSize
  return [
    ...(free > MUCH_FREE_BYTES && free > bytes / 4 ? [found.freePages({ path, free, bytes })] : []),
    ...(number(db, 'PRAGMA auto_vacuum') === 0 ? [] : [found.autoVacuum({ path })]),
  ]
}

function files(path: string): readonly Finding[] {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const disk = statfsSync(dirname(path))
  const free = disk.bavail * disk.bsize
  return [
    ...(log > LARGE_LOG_BYTES ? [found.logLarge({ bytes: log })] : []),
    ...(log > 0 ? [found.notClosed({ path: `${path}-wal` })] : []),
    ...(free < LITTLE_DISK_BYTES ? [found.diskFull({ free })] : []),
  ]
}
