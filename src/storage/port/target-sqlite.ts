import { chmodSync, existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused } from '#storage/database.ts'
import { PORT_TABLE } from '#storage/migrate.ts'
import { runAsking } from '#storage/sqlite/ask.ts'
import { GuardFile } from '#storage/sqlite/guard-file.ts'
import { migrateSqlite } from '#storage/sqlite/schema.ts'
import type { Books } from './books.ts'
import { checkTables, type Table } from './catalogue.ts'
import { openToWrite } from './connect.ts'
import { quoted } from './expressions.ts'
import { refuseTarget } from './refusals.ts'
import { type Settled, settleBooks } from './settle.ts'
import { type IndexDefinition, sqliteIndexes } from './sqlite-side.ts'

/** A SQLite file that is copied into. It is kept from servers while it is held. */
export class TargetFile implements Disposable {
  readonly db: DatabaseSync
  readonly indexes: readonly IndexDefinition[]
  readonly #guard: GuardFile

  /** Takes the file for a port: makes it where there is none, checks it, and marks it so that no server starts on it. */
  constructor(path: string, books: Books, tables: readonly Table[]) {
    this.#guard = new GuardFile(path)
    const isNew = !existsSync(path)
    this.db = openToWrite(path)
    try {
      if (isNew) chmodSync(path, 0o600)
      migrateSqlite(this.db, { forPort: true })
      this.db.exec('BEGIN IMMEDIATE')
      this.indexes = this.#begin(books, tables)
      this.db.exec('COMMIT')
      checkTables(this.db, tables)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  #begin(books: Books, tables: readonly Table[]): IndexDefinition[] {
    const isMarked = this.db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(PORT_TABLE) !== undefined
    if (isMarked) {
      const row = this.db.prepare(`SELECT server_name, indexes FROM ${PORT_TABLE}`).get()
      refuseTarget({ books, serverName: String(row?.['server_name']), mark: undefined, isRunning: false })
      return JSON.parse(String(row?.['indexes']))
    }
    const row = this.db.prepare('SELECT server_name, mark FROM deployment').get()
    if (row === undefined) this.#checkEmpty(tables)
    else refuseTarget({ books, serverName: String(row['server_name']), mark: String(row['mark']), isRunning: false })
    const indexes = sqliteIndexes(this.db)
    this.db.exec(
      `CREATE TABLE ${PORT_TABLE} (id INTEGER PRIMARY KEY, server_name TEXT NOT NULL, indexes TEXT NOT NULL) STRICT`,
    )
    this.db.prepare(`INSERT INTO ${PORT_TABLE} VALUES (1, ?, ?)`).run(books.serverName, JSON.stringify(indexes))
    return indexes
  }

  #checkEmpty(tables: readonly Table[]): void {
    for (const { name } of tables) {
      if (this.db.prepare(`SELECT 1 FROM ${quoted(name)} LIMIT 1`).get() === undefined) continue
      throw new DatabaseRefused(`The file to copy into has rows in ${name}, but belongs to no server. Name a new file.`)
    }
  }

  /** Writes the books and takes the mark away: a server may start now. Where it would refuse to, because of counters, all stays as it was. */
  finish(books: Books, randomHex: string): Settled {
    this.db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    this.db.exec('DELETE FROM numbers; DELETE FROM deployment')
    const number = this.db.prepare('INSERT INTO numbers (name, next) VALUES (?, ?)')
    for (const [name, next] of Object.entries(books.numbers)) number.run(name, BigInt(next))
    const { isExact } = books
    this.db
      .prepare(
        `INSERT INTO deployment (id, server_name, incarnation, last_position, ceiling, fingerprint_key, closed_cleanly, mark, started_at)
         VALUES (1, ?, ?, ?, ?, ?, ?, '', '')`,
      )
      .run(
        books.serverName,
        BigInt(books.incarnation),
        BigInt(books.lastPosition),
        BigInt(books.ceiling),
        books.fingerprintKey,
        isExact ? 1 : 0,
      )
    const settled = runAsking(this.db, settleBooks('sqlite', { isExact, randomHex }))
    if (settled.left.length > 0) this.db.exec('ROLLBACK')
    else this.db.exec(`DROP TABLE ${PORT_TABLE}; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)`)
    return settled
  }

  [Symbol.dispose](): void {
    this.db.close()
    this.#guard[Symbol.dispose]()
  }
}
