import { parentPort, workerData } from 'node:worker_threads'
import type { Table } from './catalogue.ts'
import { connectToPort, openToRead, openToWrite, type Place } from './connect.ts'
import { postgresSource, postgresTarget } from './postgres-side.ts'
import type { Source, Target } from './side.ts'
import { type IndexDefinition, sqliteSource, sqliteTarget } from './sqlite-side.ts'
import { runTable, type TableProgress, type TableResult } from './table-run.ts'
import { shareWriterLock } from './target-postgres.ts'

// A thread that copies tables, one after the other, on connections of its own.

/** How the thread is started. */
export type WorkerData = {
  readonly source: Place
  readonly target: Place
  readonly tables: readonly Table[]
  readonly indexes: readonly IndexDefinition[]
  readonly onlyVerify: boolean
  readonly batchSize: number | undefined
}
/** What the main thread asks for. `begin`: see one state of the source from now on; `snapshot` names it in PostgreSQL. */
export type WorkerRequest =
  | { readonly ask: 'begin'; readonly snapshot: string | undefined }
  | { readonly ask: 'count'; readonly table: string }
  | { readonly ask: 'run'; readonly table: string; readonly total: number }
  | { readonly ask: 'end' }
/** What it gets. */
export type WorkerAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'counted'; readonly rows: number }
  | { readonly kind: 'progress'; readonly progress: TableProgress }
  | { readonly kind: 'result'; readonly result: TableResult }
  | { readonly kind: 'error'; readonly error: unknown }

const data = workerData as WorkerData
const PROGRESS_PAUSE_MS = 50

type OpenSource = { readonly source: Source; readonly begin: (snapshot: string | undefined) => Promise<void> }

async function openSource(place: Place): Promise<OpenSource> {
  if (place.engine === 'sqlite') {
    const db = openToRead(place)
    const begin = async () => {
      if (db.isTransaction) db.exec('ROLLBACK')
      db.exec('BEGIN')
      // The state is chosen by the first read.
      db.prepare('SELECT id FROM deployment').get()
    }
    return { source: sqliteSource(db), begin }
  }
  const client = await connectToPort(place, { isPipelined: true })
  const begin = async (snapshot: string | undefined) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    if (snapshot !== undefined) await client.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`)
  }
  return { source: postgresSource(client), begin }
}

async function openTarget(place: Place): Promise<Target> {
  if (place.engine === 'sqlite') return sqliteTarget(openToRead(place), openToWrite(place.path), data.indexes)
  const reader = await connectToPort(place, { isPipelined: true })
  const writer = await connectToPort(place, { isPipelined: false })
  if (!data.onlyVerify) await shareWriterLock(writer)
  return postgresTarget(reader, writer, data.indexes)
}

const answer = (message: WorkerAnswer) => parentPort?.postMessage(message)
const source = openSource(data.source)
const target = openTarget(data.target)
// Who asks first hears of it.
source.catch(() => {})
target.catch(() => {})
let reportedAt = 0

const report = (progress: TableProgress) => {
  const now = performance.now()
  if (now - reportedAt < PROGRESS_PAUSE_MS && progress.phase !== 'done') return
  reportedAt = now
  answer({ kind: 'progress', progress })
}

const tableOf = (name: string): Table => {
  const found = data.tables.find((table) => table.name === name)
  if (found === undefined) throw new Error(`no table ${name}`)
  return found
}

async function carryOut(request: WorkerRequest): Promise<WorkerAnswer> {
  const [from, to] = [await source, await target]
  if (request.ask === 'begin') await from.begin(request.snapshot)
  if (request.ask === 'count') return { kind: 'counted', rows: await from.source.count(tableOf(request.table)) }
  if (request.ask === 'run') {
    const { onlyVerify, batchSize } = data
    const table = tableOf(request.table)
    const now = () => performance.now()
    const { total } = request
    return {
      kind: 'result',
      result: await runTable({ table, source: from.source, target: to, total, onlyVerify, batchSize, report, now }),
    }
  }
  if (request.ask === 'end') {
    await from.source[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
    setImmediate(() => parentPort?.close())
  }
  return { kind: 'done' }
}

parentPort?.on('message', (request: WorkerRequest) => {
  carryOut(request).then(answer, (error) => answer({ kind: 'error', error }))
})
