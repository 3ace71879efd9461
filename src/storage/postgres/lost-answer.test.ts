import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { env } from 'node:process'
import { test } from 'node:test'
import { Change } from '#storage/change.ts'
import { Committer } from '#storage/commit.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { userAdded, userById, userIdFree } from '#storage/stores/users.ts'
import { parametersOf, postgresPlace } from '#storage/testing/each-database.ts'
import { systemClock } from '#util/clock.ts'

const uri = env['MYELIN_TEST_POSTGRES']
const skip = uri === undefined ? 'no PostgreSQL: run it by npm test' : false

/** A way to the server that breaks off when it is told to. */
class BreakingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  port = 0
  /** `answer`: the server's next answer is not handed on; `request`: our next request is not. */
  breakAt: 'answer' | 'request' | undefined
  broken = 0

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      const server = dial(target)
      this.#sockets.add(client).add(server)
      const end = () => {
        client.destroy()
        server.destroy()
      }
      const pass = (when: 'answer' | 'request', to: Socket) => (data: Buffer) => {
        if (this.breakAt === when && this.#isCommit(when, data)) {
          this.breakAt = undefined
          this.broken++
          end()
        } else to.write(data)
      }
      client.on('data', pass('request', server)).on('close', end).on('error', end)
      server.on('data', pass('answer', client)).on('close', end).on('error', end)
    })
  }

  /** Only the writer's traffic is broken: its calls and their answers have the batch's rows. */
  #isCommit(when: 'answer' | 'request', data: Buffer): boolean {
    return data.includes(when === 'request' ? '@lost' : '"base"')
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

for (const lost of ['answer', 'request'] as const) {
  test(`a commit whose ${lost} is lost is written once and answered`, { skip }, async () => {
    await using place = await postgresPlace('PostgreSQL', uri ?? '')
    const target = new URL(place.uri)
    await using proxy = await new BreakingProxy({ host: target.hostname, port: Number(target.port) }).listen()
    const through = new URL(place.uri)
    through.port = String(proxy.port)
    await using db = await openPostgres({
      parameters: parametersOf(through.href),
      serverName: 'example.org',
      randomBytes,
      clock: systemClock,
    })
    const committed: number[] = []
    const committer = new Committer({
      database: db,
      operations: OPERATIONS,
      randomBytes,
      onCommitted: ({ upTo }) => committed.push(upTo),
    })
    const add = (user: number, userId: string) =>
      committer.commit(new Change().require(userIdFree, { userId }).write(userAdded, { user, userId, isLocal: true }))
    assert.equal((await add(1, '@first:example.org')).ok, true)
    proxy.breakAt = lost
    assert.equal((await add(2, '@lost:example.org')).ok, true)
    assert.equal(proxy.broken, 1)
    assert.equal((await userById(db, '@lost:example.org'))?.user, 2)
    assert.deepEqual(await add(3, '@lost:example.org'), { ok: false, refusedBy: 'user_id_free' })
    assert.equal(committed.length, 3)
  })
}
