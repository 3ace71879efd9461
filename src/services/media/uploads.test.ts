import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import type { Requester } from '#api/requester.ts'
import { Hooks } from '#modules/registry.ts'
import { MatrixError } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Change } from '#storage/change.ts'
import { systemClock } from '#util/clock.ts'
import { silentLogger } from '#util/logger.ts'
import { systemRandom } from '#util/random.ts'
import type { MediaStore } from './media-store.ts'
import { Uploads } from './uploads.ts'

const requester: Requester = {
  user: 1,
  userId: '@a:x' as UserId,
  deviceId: 'D',
  device: '1\0D',
  session: 1,
  scopes: 'all',
  isGuest: false,
  isAdmin: false,
  appserviceId: undefined,
  isExemptFromRateLimits: false,
  isSuspended: false,
  isShadowBanned: false,
}

type Made = {
  readonly put?: MediaStore['put']
  readonly commit?: (change: Change) => Promise<never>
  readonly timers?: (() => void)[]
}

const make = ({ put, commit, timers = [] }: Made) => {
  const kept = new Set<string>()
  const store: MediaStore = {
    put:
      put ??
      (async (key, chunks) => {
        let size = 0
        for await (const chunk of chunks) size += chunk.byteLength
        kept.add(key)
        return { size, sha256: new Uint8Array(32) }
      }),
    get: async () => undefined,
    remove: async (key) => {
      kept.delete(key)
    },
  }
  const clock = {
    now: systemClock.now,
    after: (_: number, task: () => void) => {
      timers.push(task)
      return () => {}
    },
  }
  const uploads = new Uploads({
    commit: commit ?? (async () => ({ ok: true, firstPosition: 0, returned: () => [] })),
    clock,
    random: systemRandom,
    log: silentLogger,
    hooks: new Hooks({ modules: [], clock, log: silentLogger }),
    serverName: 'x',
    store,
    maxBytes: 10,
  })
  return { uploads, kept }
}

const file = (stream: Readable) => ({
  stream,
  contentType: undefined,
  contentLength: undefined,
  fileName: undefined,
})
const isError = (status: number, errcode: string) => (error: unknown) => {
  assert.ok(error instanceof MatrixError)
  assert.deepEqual([error.status, error.errcode], [status, errcode])
  return true
}

test('a full disk is said in so many words', async () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const { uploads } = make({
      put: async () => {
        throw Object.assign(new Error('write failed'), { code })
      },
    })
    await assert.rejects(uploads.take(requester, file(Readable.from([]))), isError(507, 'M_UNKNOWN'))
  }
})

test('a file that the database does not take is not kept', async () => {
  const { uploads, kept } = make({
    commit: async () => {
      assert.equal(kept.size, 1)
      throw new Error('the database is gone')
    },
  })
  await assert.rejects(uploads.take(requester, file(Readable.from([Buffer.from('x')]))), /the database is gone/)
  assert.equal(kept.size, 0)
})

test('a file may be as large as the limit and not larger, and the rest of it is let go by', async () => {
  const { uploads, kept } = make({})
  assert.match(await uploads.take(requester, file(Readable.from([Buffer.alloc(10)]))), /^mxc:\/\/x\/[a-z0-9]{24}$/)
  const large = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(1)))
  await assert.rejects(uploads.take(requester, file(large)), isError(413, 'M_TOO_LARGE'))
  await new Promise((resolve) => large.on('end', resolve))
  const said = { ...file(Readable.from([])), contentLength: 11 }
  await assert.rejects(uploads.take(requester, said), isError(413, 'M_TOO_LARGE'))
  assert.equal(kept.size, 1)
})

test('an upload that breaks off or comes to a halt is given up', async () => {
  const timers: (() => void)[] = []
  const { uploads, kept } = make({ timers })
  const broken = new PassThrough()
  const first = assert.rejects(uploads.take(requester, file(broken)), isError(400, 'M_UNKNOWN'))
  broken.write('x')
  broken.destroy(new Error('aborted'))
  await first
  const halted = new PassThrough()
  const second = assert.rejects(uploads.take(requester, file(halted)), isError(400, 'M_UNKNOWN'))
  halted.write('x')
  await new Promise(setImmediate)
  timers.at(-1)?.()
  await second
  assert.equal(kept.size, 0)
})

test('a user sends only so many files at once', async () => {
  const { uploads } = make({})
  const streams = Array.from({ length: 20 }, () => new PassThrough())
  const running = streams.map((stream) => uploads.take(requester, file(stream)))
  await assert.rejects(uploads.take(requester, file(Readable.from([]))), isError(429, 'M_LIMIT_EXCEEDED'))
  await uploads.take({ ...requester, user: 2 }, file(Readable.from([])))
  for (const stream of streams) stream.end()
  await Promise.all(running)
  await uploads.take(requester, file(Readable.from([])))
})
