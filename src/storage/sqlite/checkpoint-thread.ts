import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

// Moves the write-ahead log into the database by a connection of its own, so that no commit waits for it.

/** How the thread is started. */
export type CheckpointData = { readonly path: string; readonly maxLogBytes: number }

const { path, maxLogBytes } = workerData as CheckpointData
const db = new DatabaseSync(path)
db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 100')

const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])

/** What came while the log was moved is moved too, until it is so little that the writer may move the rest. */
const FEW_PAGES = 256
const MAX_PASSES = 3

/** What the thread answers: all is well, the log is above its cap and nearly moved, or it has ended. */
export type CheckpointAnswer = 'done' | 'full' | 'closed'
const answer = (message: CheckpointAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (request: 'checkpoint' | 'close') => {
  if (request === 'close') {
    db.close()
    answer('closed')
    parentPort?.close()
    return
  }
  answer(checkpoint())
})

/** Moves what is in the log while nobody waits, and says whether the log is long: then it should start anew. */
function checkpoint(): 'done' | 'full' {
  let log = movedLog()
  if (log * pageBytes <= maxLogBytes) return 'done'
  for (let pass = 0, came = log; pass < MAX_PASSES && came > FEW_PAGES; pass++) {
    const next = movedLog()
    came = next - log
    log = next
  }
  return 'full'
}

/** Moves what it can, and gives how many pages stand in the log. */
const movedLog = (): number => Number(db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['log'])
