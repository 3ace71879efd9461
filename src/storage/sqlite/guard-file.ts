import { chmodSync, existsSync, realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused } from '#storage/database.ts'

/** Where a file is that may be named through a symbolic link: SQLite keeps its log there, whatever it was called by. */
export const realPathOf = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

/**
 * The file beside the database that keeps a second process out, by a lock that dies with its process, and that holds the mark by which
 * a start recognises that the database was exchanged for a copy.
 */
export class GuardFile implements Disposable {
  readonly #db: DatabaseSync
  /** The mark of the last start, or `undefined` where there was none. */
  readonly mark: string | undefined

  constructor(databasePath: string) {
    const path = `${realPathOf(databasePath)}-guard`
    const isNew = !existsSync(path)
    this.#db = new DatabaseSync(path)
    if (isNew) chmodSync(path, 0o600)
    try {
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      if (isNew) this.#db.exec('CREATE TABLE IF NOT EXISTS guard (id INTEGER PRIMARY KEY, mark TEXT NOT NULL)')
      this.#db.exec('COMMIT')
    } catch (cause) {
      this.#db.close()
      throw new DatabaseRefused(`The database ${databasePath} is in use by another process. Stop that one first.`, {
        cause,
      })
    }
    const row = this.#db.prepare('SELECT mark FROM guard').get()
    this.mark = row === undefined ? undefined : String(row['mark'])
  }

  /** Keeps the mark that this start wrote into the database. */
  keep(mark: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO guard VALUES (1, ?)').run(mark)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}
