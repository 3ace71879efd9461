import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch, BatchResult } from '#storage/change.ts'
import { CONDITIONS, OPERATIONS } from '#storage/stores/all.ts'
import { BatchWriter } from './batch.ts'

// The thread in which all writes to the SQLite file are made. It answers batches in the order in which they come.

/** What the main thread asks for. */
export type WriterRequest = { readonly batch: Batch } | { readonly checkpoint: true } | { readonly close: true }
/** What it gets: a result or the text of the error that undid the batch. */
export type WriterAnswer =
  | { readonly result: BatchResult }
  | { readonly checkpointed: true }
  | { readonly error: string }
  | { readonly closed: true }
/** How the thread is started. */
export type WriterData = { readonly path: string; readonly synchronous: 'FULL' | 'NORMAL' | 'OFF' }

const { path, synchronous } = workerData as WriterData
const db = new DatabaseSync(path)
db.exec(
  'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16384',
)
const writer = new BatchWriter(db, { operations: OPERATIONS, conditions: CONDITIONS })
writer.setSynchronous(synchronous)

const answer = (message: WriterAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (request: WriterRequest) => {
  if ('close' in request) {
    db.close()
    answer({ closed: true })
    parentPort?.close()
    return
  }
  try {
    if ('checkpoint' in request) {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)')
      answer({ checkpointed: true })
      return
    }
    answer({ result: writer.write(request.batch) })
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) })
  }
})
