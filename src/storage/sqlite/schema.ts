import type { DatabaseSync } from 'node:sqlite'
import { judgeTables, pendingMigrations, readMigrations, type SchemaState, schemaRow } from '#storage/migrate.ts'
import { runAsking } from './ask.ts'
import { sqliteDdl } from './ddl.ts'

/** What the database says of its schema. */
export const schemaState = (db: DatabaseSync): SchemaState => {
  const tables = new Set(
    db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
      .map((row) => String(row['name'])),
  )
  return runAsking(db, judgeTables(tables))
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
