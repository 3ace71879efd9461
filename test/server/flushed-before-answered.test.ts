import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { TestClient } from '#test/helpers/client.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { ServerProcess } from '#test/helpers/server-process.ts'

const hasStrace = spawnSync('strace', ['-V']).status === 0

/** Watches the calls of processes that run already, until it is stopped. */
class Trace {
  readonly #file: string
  readonly #strace: ReturnType<typeof spawn>
  readonly attached: Promise<void>

  constructor(file: string, pids: readonly number[]) {
    this.#file = file
    const calls = 'trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync,io_uring_enter'
    const args = ['-f', '-y', '-s', '2048', '-e', calls, '-o', file, ...pids.flatMap((pid) => ['-p', String(pid)])]
    this.#strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let left = pids.length
    this.attached = new Promise((resolve, reject) => {
      const stderr = this.#strace.stderr
      if (stderr === null) return
      createInterface({ input: stderr }).on('line', (line) => {
        if (/Process \d+ attached/.test(line) && --left === 0) resolve()
        if (/Operation not permitted/.test(line)) reject(new Error(line))
      })
      this.#strace.on('exit', () => reject(new Error('strace ended')))
    })
  }

  /** The calls in the order in which they came back; a call that was seen to begin and end apart counts at its end. */
  async stop(): Promise<readonly string[]> {
    this.#strace.kill('SIGINT')
    await once(this.#strace, 'exit')
    const begun = new Map<string, string>()
    const calls: string[] = []
    for (const line of readFileSync(this.#file, 'utf8').split('\n')) {
      const [pid = ''] = line.split(' ', 1)
      if (line.endsWith('<unfinished ...>')) begun.set(pid, line)
      else calls.push(line.includes(' resumed>') ? `${begun.get(pid) ?? ''} ${line}` : line)
    }
    return calls
  }
}

for (const [kind, log] of [
  ['sqlite', /f(?:data)?sync\(\d+<[^>]*homeserver\.db-wal>.*= 0/],
  ['postgres', /f(?:data)?sync\(\d+<[^>]*\/pg_wal\/[0-9A-F]{24}>.*= 0/],
] as const) {
  test(`a message is answered only after its change is flushed (${kind})`, {
    skip: hasStrace ? false : 'there is no strace here: this stays untested',
  }, async (t) => {
    await using server = await ServerProcess.start(kind)
    const client = new TestClient({ url: () => server.url, serverName: 'process.example' })
    const alice = await client.registerBySecret('alice', { secret: server.secret, admin: false })
    const room = await roomOf([alice])
    await say(alice, room, 'before')
    const pids = [server.pid, ...(server.postgres === undefined ? [] : backendsOf(server.postgres.pid))]
    const trace = new Trace(join(server.folder, 'trace'), pids)
    const refusal = await trace.attached.then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (refusal !== undefined) return t.skip(`strace may not watch here: ${refusal}`)
    const eventIds: string[] = []
    for (let n = 0; n < 5; n++) eventIds.push(await say(alice, room, `message ${n}`))
    const calls = await trace.stop()
    let at = 0
    for (const eventId of eventIds) {
      const asked = calls.findIndex((call, index) => index >= at && /"PUT \/_matrix\/client\/v3\/rooms\//.test(call))
      const answered = calls.findIndex(
        (call) =>
          call.includes(eventId) && /(?:write|writev|sendto|sendmsg)\(/.test(call) && call.includes('HTTP/1.1 200'),
      )
      assert.ok(
        asked !== -1 && answered > asked,
        `the request (${asked}) and the answer (${answered}) of ${eventId} are seen`,
      )
      const flushes = calls.slice(asked, answered).filter((call) => log.test(call))
      assert.ok(flushes.length > 0, `no flush between:\n${calls.slice(asked, answered + 1).join('\n')}`)
      at = answered
    }
    return undefined
  })
}

/** The processes of a PostgreSQL server. */
const backendsOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
