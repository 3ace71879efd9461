import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { CheckpointAnswer, CheckpointData } from './checkpoint-thread.ts'

const MAX_LOG_BYTES = 200_000

/** A database with a log above the cap, and the thread that moves it. */
async function withLog(
  act: (db: DatabaseSync, checkpoint: () => Promise<CheckpointAnswer>, path: string) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
  const path = join(folder, 'homeserver.db')
  using db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a TEXT)')
  const workerData: CheckpointData = { path, maxLogBytes: MAX_LOG_BYTES }
  const worker = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData })
  try {
    db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(500_000))
    const checkpoint = async () => {
      worker.postMessage('checkpoint')
      const [answer] = (await once(worker, 'message')) as [CheckpointAnswer]
      return answer
    }
    await act(db, checkpoint, path)
  } finally {
    worker.postMessage('close')
    await once(worker, 'message')
    await worker.terminate()
    rmSync(folder, { recursive: true })
  }
}

const logPages = (db: DatabaseSync): number => Number(db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['log'])

test('a log above its cap is moved and starts anew in the file that it has', () =>
  withLog(async (db, checkpoint, path) => {
    const before = statSync(`${path}-wal`).size
    assert.equal(await checkpoint(), 'full')
    db.prepare('INSERT INTO t VALUES (?)').run('y')
    assert.equal(logPages(db), 1)
    assert.equal(statSync(`${path}-wal`).size, before)
    assert.equal(db.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 2)
    assert.equal(await checkpoint(), 'done')
  }))

test('while somebody reads what is older, the log goes on and nothing is lost', () =>
  withLog(async (db, checkpoint, path) => {
    using reader = new DatabaseSync(path)
    reader.exec('BEGIN')
    assert.equal(reader.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 1)
    await checkpoint()
    db.prepare('INSERT INTO t VALUES (?)').run('y')
    assert.equal(reader.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 1)
    reader.exec('COMMIT')
    assert.equal(reader.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 2)
  }))
