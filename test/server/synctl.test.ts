import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { getTokenOwner } from '#api/client/whoami.ts'
import { isAlive } from '#cli/own-process.ts'
import { TestClient } from '#test/helpers/client.ts'
import { places } from '#test/helpers/homeserver.ts'
import { configuration, freePort, freshFolder, StartedBin } from '#test/helpers/started-bin.ts'

const SECRET = { secret: 'secret of a start', admin: false }

type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** A folder with a server that synctl starts and stops. Whatever runs at the end is ended. */
class Place implements AsyncDisposable {
  readonly folder: string
  readonly url: string

  constructor(folder: string, port: number, options: { readonly database?: string; readonly more?: string } = {}) {
    this.folder = folder
    this.url = `http://127.0.0.1:${port}`
    const more = `pid_file: ${folder}/homeserver.pid\n${options.more ?? ''}`
    const { database } = options
    writeFileSync(
      join(folder, 'homeserver.yaml'),
      configuration(folder, { port, more, ...(database === undefined ? {} : { database }) }),
    )
  }

  async synctl(...args: readonly string[]): Promise<Ended> {
    await using bin = new StartedBin('synctl', args, { folder: this.folder })
    const code = await bin.exit()
    return { code, out: bin.out.join('\n'), err: bin.err.join('\n') }
  }

  get pid(): number {
    return Number(readFileSync(join(this.folder, 'homeserver.pid'), 'utf8'))
  }

  client(): TestClient {
    return new TestClient({ url: () => this.url, serverName: 'start.example' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.synctl('stop')
  }
}

for (const [kind, open] of places()) {
  test(`the page's commands: stop leaves one whole file to copy, and start goes on (${kind})`, {
    skip: open === undefined,
  }, async () => {
    if (open === undefined) return
    await using database = await open()
    await using place = new Place(database.folder, await freePort(), { database: database.database })
    const started = await place.synctl('start')
    assert.equal(started.code, 0, started.err)
    assert.match(started.out, /^homeserver\.yaml: started \(process \d+\)$/)
    const { pid } = place
    const alice = place.client()
    await alice.registerBySecret('alice', SECRET)
    assert.equal((await alice.call(getTokenOwner)).user_id, '@alice:start.example')

    const again = await place.synctl('start')
    assert.equal(again.code, 1)
    assert.match(again.err, new RegExp(`already running \\(process ${pid}\\)`))
    assert.match((await place.synctl('status')).out, new RegExp(`running \\(process ${pid}\\)`))

    const stopped = await place.synctl('stop')
    assert.deepEqual(stopped, { code: 0, out: 'homeserver.yaml: stopped', err: '' })
    assert.equal(isAlive(pid), false)
    assert.deepEqual(
      readdirSync(place.folder).filter((name) => /-(wal|shm)$|\.pid$/.test(name)),
      [],
    )
    assert.equal((await place.synctl('status')).code, 3)
    const nothing = await place.synctl('stop')
    assert.deepEqual([nothing.code, nothing.out], [0, 'homeserver.yaml: not running'])

    if (kind === 'SQLite') copyFileSync(join(place.folder, 'homeserver.db'), join(place.folder, 'snapshot'))
    assert.equal((await place.synctl('start', 'homeserver.yaml')).code, 0)
    assert.equal((await alice.call(getTokenOwner)).user_id, '@alice:start.example')
    const restarted = await place.synctl('restart', '-a', place.folder)
    assert.equal(restarted.code, 0, restarted.err)
    assert.match(restarted.out, /: stopped\nhomeserver\.yaml: started/)
    assert.equal((await alice.call(getTokenOwner)).user_id, '@alice:start.example')
  })
}

test('a start that fails says why, and nothing else', async () => {
  using folder = freshFolder()
  writeFileSync(
    join(folder.path, 'log.yaml'),
    `version: 1
handlers: { file: { class: logging.FileHandler, filename: ${folder.path}/homeserver.log } }
root: { level: INFO, handlers: [file] }
`,
  )
  const port = await freePort()
  await using place = new Place(folder.path, port, { more: `log_config: ${folder.path}/log.yaml` })
  assert.equal((await place.synctl('start')).code, 0)
  await place.synctl('stop')
  writeFileSync(join(folder.path, 'homeserver.db'), 'a letter, and no database '.repeat(100))
  const failed = await place.synctl('start')
  assert.equal(failed.code, 1)
  assert.match(failed.err, /homeserver\.db cannot be opened as a SQLite database/)
  assert.match(failed.err, /\n.*The server did not start \(exit code 65\)\.$/)
  assert.equal(existsSync(join(folder.path, 'homeserver.pid')), false)
})

test('what is not understood, not there or not right is told, and ends with an error', async () => {
  using folder = freshFolder()
  await using place = new Place(folder.path, await freePort())
  const missing = await place.synctl('start', 'other.yaml')
  assert.equal(missing.code, 1)
  assert.match(missing.err, /no configuration other\.yaml\. To make one: /)
  const both = await place.synctl('start', '-a', '.', '-w', 'worker.yaml')
  assert.equal(both.code, 1)
  assert.match(both.err, /cannot be given together/)
  const worker = await place.synctl('start', '-w', 'worker.yaml')
  assert.deepEqual([worker.code, worker.out], [0, ''])
  assert.match(worker.err, /has no workers/)
  assert.equal((await place.synctl('begin')).code, 2)
  writeFileSync(join(folder.path, 'homeserver.yaml'), 'server_name: start.example\n')
  const bare = await place.synctl('stop')
  assert.equal(bare.code, 1)
  assert.match(bare.err, /has no pid_file, .*Add a line such as: pid_file: \//)
})

test('a process that is not the server is never touched, whatever the pid file says', async () => {
  using folder = freshFolder()
  await using place = new Place(folder.path, await freePort())
  const stranger = spawn('sleep', ['60'])
  try {
    const pidFile = join(folder.path, 'homeserver.pid')
    writeFileSync(pidFile, `${stranger.pid}\n`)
    const stopped = await place.synctl('stop')
    assert.equal(stopped.code, 0)
    assert.match(
      stopped.out,
      /not running: process \d+ of .* is another program by now: sleep 60\. The pid file was removed/,
    )
    assert.equal(stranger.exitCode, null)
    assert.equal(existsSync(pidFile), false)
    writeFileSync(pidFile, 'nonsense\n')
    assert.match((await place.synctl('status')).err, /no process number in it/)
    writeFileSync(pidFile, `${stranger.pid}\n`)
    const started = await place.synctl('start')
    assert.equal(started.code, 0, started.err)
    assert.match(started.out, /another program[\s\S]*started \(process/)
    assert.notEqual(place.pid, stranger.pid)
    // Another Myelin that got the number of one that is long gone.
    const { pid } = place
    utimesSync(pidFile, 1_000_000, 1_000_000)
    assert.match((await place.synctl('status')).err, /started later/)
    utimesSync(pidFile, new Date(), new Date())
    process.kill(pid, 'SIGKILL')
    const killed = await place.synctl('stop')
    assert.match(killed.out, /not running: process \d+ of .* is gone/)
    assert.match(killed.err, /was not closed: .*homeserver\.db-wal is still there/)
  } finally {
    stranger.kill()
  }
})

test('in the foreground it is the server, and ends with it', async () => {
  using folder = freshFolder()
  await using place = new Place(folder.path, await freePort())
  await using bin = new StartedBin('synctl', ['--no-daemonize', 'start'], { folder: folder.path })
  await bin.line(/listens on/)
  assert.match((await place.synctl('status')).out, /running/)
  assert.equal(await bin.stop('SIGTERM'), 0)
  assert.equal((await place.synctl('status')).code, 3)
})
