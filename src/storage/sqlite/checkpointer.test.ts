import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '#util/manual-clock.testing.ts'
import { Checkpointer } from './checkpointer.ts'

/** Whether the thread has begun a while after a write, with a log of so many bytes: it opens the database, which makes the file. */
async function beginsWith(logBytes: readonly number[]): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
  const path = join(folder, 'homeserver.db')
  try {
    const clock = new ManualClock()
    const data = { path, maxLogBytes: 64 * 1024 * 1024 }
    const checkpointer = new Checkpointer({ data, clock, finish: async () => {} })
    for (const bytes of logBytes) {
      writeFileSync(`${path}-wal`, new Uint8Array(bytes))
      checkpointer.written()
      clock.advance(1_000)
    }
    // It comes back when the thread, if there is one, has opened the database and closed it.
    await checkpointer[Symbol.asyncDispose]()
    return existsSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('while the log is short there is no thread to move it', async () => {
  assert.equal(await beginsWith([0, 4_096, 1_000_000]), false)
})

test('the thread begins when the log has grown', async () => {
  assert.equal(await beginsWith([4_096, 1_100_000]), true)
})
