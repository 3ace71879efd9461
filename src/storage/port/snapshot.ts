import type { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused } from '#storage/database.ts'
import { openToRead, type SqlitePlace } from './connect.ts'

const MAX_TRIES = 2_000

/**
 * Makes several connections see one state of a file that a server may write to meanwhile: each begins to read, and if nothing was committed
 * between the first and the last of them they see the same. https://www.sqlite.org/pragma.html#pragma_data_version
 */
export class SnapshotControl implements Disposable {
  /** Sees the same state as the others, once they share it. */
  readonly db: DatabaseSync
  readonly #watch: DatabaseSync

  constructor(place: SqlitePlace) {
    this.db = openToRead(place)
    this.#watch = openToRead(place)
  }

  /** `begin` makes the other connections begin, or begin anew. */
  async share(begin: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = this.#version()
      await begin()
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      this.db.exec('BEGIN')
      this.db.prepare('SELECT id FROM deployment').get()
      if (this.#version() === before) return
    }
    throw new DatabaseRefused(
      'The server writes without a pause, so that no state of its file can be read. Stop it, then port.',
    )
  }

  #version(): unknown {
    return this.#watch.prepare('PRAGMA data_version').get()?.['data_version']
  }

  [Symbol.dispose](): void {
    this.db.close()
    this.#watch.close()
  }
}
