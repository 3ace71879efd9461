import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

// Moves the write-ahead log into the database by a connection of its own, so that no commit waits for it.

/** How the thread is started. */
export type CheckpointData = { readonly path: string; readonly maxLogBytes: number }

const { path, maxLogBytes } = workerData as CheckpointData
const db = new DatabaseSync(path)
db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 100')

const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])

/** What came while the log was moved is moved too, until it is so little that writers may wait for it. */
const FEW_PAGES = 256
const MAX_PASSES = 3

/** How long writers are left alone after a checkpoint that they waited for in vain. */
const PATIENCE_MS = 30_000
let patientUntil = 0

parentPort?.on('message', (request: 'checkpoint' | 'close') => {
  if (request === 'close') {
    db.close()
    parentPort?.postMessage('closed')
    parentPort?.close()
    return
  }
  checkpoint()
  parentPort?.postMessage('done')
})

/**
 * Moves what is in the log while nobody waits. Above the cap the log must start anew, and writers wait while the little is moved that has come
 * meanwhile. While a long reader is in its way it cannot. The file keeps its size: a commit in room that is there already flushes less.
 */
function checkpoint(): void {
  let { log } = run('PASSIVE')
  if (log * pageBytes <= maxLogBytes || performance.now() < patientUntil) return
  for (let pass = 0, came = log; pass < MAX_PASSES && came > FEW_PAGES; pass++) {
    const next = run('PASSIVE').log
    came = next - log
    log = next
  }
  if (run('RESTART').busy === 1) patientUntil = performance.now() + PATIENCE_MS
}

/** What SQLite says of a checkpoint: whether something was in its way, and how many pages stand in the log. */
function run(mode: 'PASSIVE' | 'RESTART'): { readonly busy: number; readonly log: number } {
  const found = db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
  return { busy: Number(found?.['busy']), log: Number(found?.['log']) }
}
