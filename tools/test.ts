import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, env, execPath, exit, stdout } from 'node:process'
import { startPostgres } from '#test/helpers/postgres-server.ts'
import type { Tally } from './test-reporter.ts'

// npm test [files]: everything, on SQLite and on real PostgreSQL servers that live as long as the run.

/** Test files that share one process, and those that get one each. */
const SHARED = ['src/**/*.test.ts', 'test/architecture/*.test.ts', 'test/conformance/*.test.ts']
const ISOLATED = ['test/!(architecture|conformance|faults|clients)/**/*.test.ts']
/** Real clients: they leave timers behind that nobody can end. */
const CLIENTS = ['test/clients/*.test.ts']

const node = (args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(execPath, args, { stdio: 'inherit', env: { ...env, ...environment } })
    child.on('exit', (code, signal) => {
      if (code !== 0) stdout.write(`a run of tests ended with ${signal ?? `exit code ${code}`}\n`)
      resolve(code ?? 1)
    })
  })

/** Adds up what the runs left in the file of tallies. A run without a tally has broken off. */
function sum(file: string): Tally {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const all = { passed: 0, failed: 0, skipped: 0 }
  for (const { passed, failed, skipped } of lines.map((line) => JSON.parse(line) as Tally)) {
    all.passed += passed
    all.failed += failed
    all.skipped += skipped
  }
  return all
}

const files = argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
const tallies = join(folder, 'tallies')
const given = env['MYELIN_TEST_POSTGRES']
await using newest = given === undefined ? await startPostgres('newest') : undefined
await using oldest = await startPostgres('oldest')
const environment = {
  MYELIN_TEST_POSTGRES: given ?? newest?.uri,
  MYELIN_TEST_POSTGRES_OLDEST: oldest.uri,
  MYELIN_TEST_TALLY: tallies,
}
const reporter = ['--test-reporter=./tools/test-reporter.ts', '--test-reporter-destination=stdout']
const common = ['--test', ...reporter, '--test-timeout=300000']
const codes: number[] = []
if (files.length > 0) {
  const isReal = files.some((file) => file.includes('test/clients/'))
  const flags = ['--test-reporter=spec', '--test-isolation=none', ...(isReal ? ['--test-force-exit'] : [])]
  codes.push(await node(['--test', ...flags, ...files], environment))
} else {
  codes.push(await node([...common, '--test-isolation=none', ...SHARED], environment))
  codes.push(await node([...common, '--test-concurrency=2', ...ISOLATED], environment))
  codes.push(await node([...common, '--test-concurrency=1', '--test-force-exit', ...CLIENTS], environment))
}
await newest?.[Symbol.asyncDispose]()
await oldest[Symbol.asyncDispose]()
if (files.length === 0) {
  const { passed, failed, skipped } = sum(tallies)
  stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
}
rmSync(folder, { recursive: true })
exit(Math.max(...codes))
