import type { DatabaseSync } from 'node:sqlite'
import { PORT_TABLE, pendingMigrations, readMigrations, type SchemaState, schemaRow } from '#storage/migrate.ts'
import { sqliteDdl } from './ddl.ts'

/** What the database says of its schema. */
export const schemaState = (db: DatabaseSync): SchemaState => {
  const tables = new Set(
    db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
      .map((row) => String(row['name'])),
  )
  if (tables.size === 0) return { kind: 'empty' }
  if (tables.has('myelin_schema')) {
    const row = db.prepare('SELECT version, compatible_with, half_made FROM myelin_schema').get()
    if (row !== undefined) {
      return {
        kind: 'ours',
        version: Number(row['version']),
        compatibleWith: Number(row['compatible_with']),
        halfMade: row['half_made'] !== 0,
        isPortUnfinished: tables.has(PORT_TABLE),
      }
    }
  }
  return { kind: tables.has('applied_schema_deltas') ? 'synapse' : 'foreign' }
}

/** Brings the schema up to date, all in one transaction; throws `DatabaseRefused` where the database must not be opened. */
export const migrateSqlite = (db: DatabaseSync, options: { readonly forPort?: boolean } = {}): void => {
  const pending = pendingMigrations(schemaState(db), readMigrations(), options)
  if (pending.length === 0) return
  db.exec('BEGIN IMMEDIATE')
  db.exec(
    'CREATE TABLE IF NOT EXISTS myelin_schema (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, compatible_with INTEGER NOT NULL, half_made INTEGER NOT NULL) STRICT',
  )
  for (const migration of pending) {
    for (const statement of migration.statements) db.exec(sqliteDdl(statement))
  }
  db.prepare('INSERT OR REPLACE INTO myelin_schema VALUES (1, ?, ?, 0)').run(
    schemaRow.version,
    schemaRow.compatibleWith,
  )
  db.exec('COMMIT')
}
