import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

// Moves the write-ahead log into the database by a connection of its own, so that no commit waits for it.

/** How the thread is started. */
export type CheckpointData = { readonly path: string; readonly maxLogBytes: number }

const { path, maxLogBytes } = workerData as CheckpointData
const db = new DatabaseSync(path)
db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 1000')

/** How long writers are left alone after a checkpoint that they waited for in vain. */
const PATIENCE_MS = 30_000
let patientUntil = 0

const logBytes = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0

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

/** Above the cap the log must start anew, for which writers wait a moment; else nobody does. While a long reader is in its way it cannot. */
function checkpoint(): void {
  const mode = logBytes() > maxLogBytes && performance.now() >= patientUntil ? 'TRUNCATE' : 'PASSIVE'
  const found = db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
  if (mode === 'TRUNCATE' && found?.['busy'] === 1) patientUntil = performance.now() + PATIENCE_MS
}
