import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installedPostgres } from '#test/helpers/administrator.ts'
import { readPage } from './page.ts'
import { Reader } from './reader.ts'

// docs/postgres.md is run: its commands by a shell, its settings in the files that they are for, on the PostgreSQL of the operating system.

const found = installedPostgres([
  'psql',
  'pg_dump',
  'pg_restore',
  'pg_basebackup',
  'vacuumdb',
  'dropdb',
  'sqlite3',
  'bash',
])
const page = readPage('postgres')

test('few blocks of the page cannot be run here', () => {
  const notRun = page.flatMap((section) => section.notRun)
  assert.deepEqual(
    notRun.map(({ reason }) => reason),
    ['it needs the programs of two versions of PostgreSQL, installed side by side'],
  )
})

test('what the page of PostgreSQL says works as it stands there, and nobody on the server loses anything', {
  skip: 'lack' in found && `docs/postgres.md is not run: ${found.lack}`,
}, async (t) => {
  if ('lack' in found) return
  await using reader = new Reader(found.native, page)
  let failed: string | undefined
  for (const { title, steps } of page) {
    if (steps.length === 0) continue
    const options = { timeout: 60_000, skip: failed !== undefined && `it comes after '${failed}', which failed` }
    await t.test(title, options, async () => {
      failed = title
      for (const step of steps) {
        await reader.do(step).catch((cause: unknown) => {
          const about = step.kind === 'block' ? step.text : step.what
          const reason = cause instanceof Error ? cause.message : String(cause)
          throw new Error(`docs/postgres.md, line ${step.line}: ${about}\n${reason}`, { cause })
        })
      }
      failed = undefined
    })
  }
})
