import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { getConfigAuthed, getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import type { Module } from '#modules/registry.ts'
import { Change } from '#storage/change.ts'
import { mediaAdded, mediaOf } from '#storage/stores/media.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'

const upload = async (
  client: TestClient,
  raw: string | Uint8Array,
  { type, filename }: { readonly type?: string; readonly filename?: string } = {},
): Promise<{ serverName: string; mediaId: string }> => {
  const { content_uri: uri } = await client.call(uploadContent, {
    raw,
    query: filename === undefined ? {} : { filename },
    headers: type === undefined ? {} : { 'content-type': type },
  })
  const [, serverName = '', mediaId = ''] = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]+)$/.exec(uri) ?? []
  return { serverName, mediaId }
}
const download = async (
  client: TestClient,
  url: string,
  { serverName, mediaId }: { readonly serverName: string; readonly mediaId: string },
  headers: Readonly<Record<string, string>> = {},
) => {
  const answer = await fetch(`${url}/_matrix/client/v1/media/download/${serverName}/${mediaId}`, {
    headers: { authorization: `Bearer ${client.accessToken}`, ...headers },
  })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}
const folderOf = ({ services }: TestHomeserver): string => services.config.media.storePath
const incoming = (homeserver: TestHomeserver): string[] => {
  const folder = join(folderOf(homeserver), 'incoming')
  return existsSync(folder) ? readdirSync(folder) : []
}
const files = (homeserver: TestHomeserver): string[] => {
  const folder = join(folderOf(homeserver), 'files')
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []))
    : []
}

eachHomeserver('a file comes back as it was uploaded, also after a restart', async (homeserver) => {
  const { register, restart, services } = homeserver
  const alice = await register('alice')
  const bob = await register('bob')
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251))
  const media = await upload(alice, bytes, { type: 'image/png', filename: 'cat.png' })
  assert.equal(media.serverName, services.serverName)
  await restart()
  const answer = await download(bob, homeserver.url, media)
  assert.equal(answer.status, 200)
  assert.ok(answer.bytes.equals(bytes))
  const header = (name: string) => answer.headers.get(name)
  assert.equal(header('content-type'), 'image/png')
  assert.equal(header('content-disposition'), 'inline; filename="cat.png"')
  assert.equal(header('content-length'), '300000')
  assert.match(header('content-security-policy') ?? '', /^sandbox; default-src 'none';/)
  assert.equal(header('cross-origin-resource-policy'), 'cross-origin')
  assert.equal(header('x-content-type-options'), 'nosniff')
  assert.equal(header('access-control-allow-origin'), '*')
  const row = await mediaOf(homeserver.services.db, '', media.mediaId)
  assert.equal(row?.sha256?.byteLength, 32)
  assert.equal(row?.size, 300_000)
  assert.deepEqual(incoming(homeserver), [])
})

eachHomeserver('parts of a file are given to those who ask for them', async (homeserver) => {
  const { register, url } = homeserver
  const alice = await register('alice')
  const media = await upload(alice, '0123456789', { type: 'text/plain' })
  const part = async (range: string) => {
    const { status, headers, bytes } = await download(alice, url, media, { range })
    return [status, headers.get('content-range'), bytes.toString()]
  }
  assert.deepEqual(await part('bytes=2-4'), [206, 'bytes 2-4/10', '234'])
  assert.deepEqual(await part('bytes=-2'), [206, 'bytes 8-9/10', '89'])
  assert.deepEqual(await part('bytes=7-'), [206, 'bytes 7-9/10', '789'])
  assert.deepEqual(await part('bytes=10-'), [416, 'bytes */10', ''])
  assert.deepEqual(await part('bytes=0-1,3-4'), [200, null, '0123456789'])
  assert.deepEqual(await part('junk'), [200, null, '0123456789'])
})

eachHomeserver('a file has the name and type that it was given, and scripts cannot run', async (homeserver) => {
  const { register, url } = homeserver
  const alice = await register('alice')
  const headersOf = async (options: { type?: string; filename?: string }) => {
    const { headers } = await download(alice, url, await upload(alice, Buffer.from('x'), options))
    return [headers.get('content-type'), headers.get('content-disposition')]
  }
  assert.deepEqual(await headersOf({}), ['application/octet-stream', 'attachment'])
  assert.deepEqual(await headersOf({ type: 'text/html', filename: 'a b.html' }), [
    'text/html; charset=UTF-8',
    'attachment; filename="a b.html"',
  ])
  assert.deepEqual(await headersOf({ type: 'image/svg+xml', filename: '' }), ['image/svg+xml', 'attachment'])
  assert.deepEqual(await headersOf({ type: 'nonsense' }), ['application/octet-stream', 'attachment'])
  assert.deepEqual(await headersOf({ type: 'image/jpeg; q="\xe9"' }), ['application/octet-stream', 'attachment'])
  assert.deepEqual(await headersOf({ type: 'text/csv', filename: 'Zürich\0\r\n☕.csv' }), [
    'text/csv; charset=UTF-8',
    "inline; filename*=utf-8''Z%C3%BCrich%E2%98%95.csv",
  ])
  const media = await upload(alice, 'x', { type: 'text/plain', filename: 'mine.txt' })
  const named = await alice.send(getContentOverrideNameAuthed, { params: { ...media, fileName: '../ä;"\n.txt' } })
  assert.equal(named.headers.get('content-disposition'), "inline; filename*=utf-8''..%2F%C3%A4%3B%22.txt")
  const long = { params: { ...media, fileName: 'x'.repeat(513) } }
  assert.equal((await alice.refused(getContentOverrideNameAuthed, long)).errcode, 'M_INVALID_PARAM')
  const refusal = await alice.refused(uploadContent, { raw: 'x', query: { filename: 'x'.repeat(513) } })
  assert.equal(refusal.errcode, 'M_INVALID_PARAM')
})

eachHomeserver('an empty file is a file', async ({ register, url }) => {
  const alice = await register('alice')
  const empty = await download(alice, url, await upload(alice, '', { type: 'text/plain' }))
  assert.deepEqual([empty.status, empty.bytes.length], [200, 0])
  const { content_uri: uri } = await alice.call(uploadContent)
  const [, mediaId = ''] = /example\.org\/(.*)$/.exec(uri) ?? []
  const none = await download(alice, url, { serverName: 'example.org', mediaId }, { range: 'bytes=0-' })
  assert.equal(none.status, 416)
})

const SMALL = { config: 'max_upload_size: 64K' }

/** Sends an upload piece by piece; `end` says how it ends. */
const sendSlowly = (
  { url }: TestHomeserver,
  client: TestClient,
  { pieces, length, end }: { readonly pieces: number; readonly length?: number; readonly end: 'whole' | 'broken off' },
): Promise<number | undefined> =>
  new Promise((resolve) => {
    const sending = request(`${url}/_matrix/media/v3/upload`, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${client.accessToken}`,
        ...(length === undefined ? {} : { 'content-length': length }),
      },
    })
    sending.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
      sending.destroy()
    })
    sending.on('error', () => resolve(undefined))
    const sendNext = (left: number) => {
      if (left > 0) sending.write(Buffer.alloc(16_384, 7), () => setImmediate(() => sendNext(left - 1)))
      else if (end === 'whole') sending.end()
      else sending.destroy()
    }
    sendNext(pieces)
  })

eachHomeserver(
  'what is too large or broken off leaves nothing',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    assert.deepEqual(await alice.call(getConfigAuthed), { 'm.upload.size': 65_536 })
    assert.equal(await sendSlowly(homeserver, alice, { pieces: 4, end: 'whole' }), 200)
    assert.equal(await sendSlowly(homeserver, alice, { pieces: 5, end: 'whole' }), 413)
    assert.equal(await sendSlowly(homeserver, alice, { pieces: 1, length: 65_537, end: 'whole' }), 413)
    assert.equal(await sendSlowly(homeserver, alice, { pieces: 2, end: 'broken off' }), undefined)
    assert.equal(await sendSlowly(homeserver, alice, { pieces: 2, length: 50_000, end: 'broken off' }), undefined)
    const refusal = await alice.refused(uploadContent, { raw: Buffer.alloc(65_537) })
    assert.deepEqual([refusal.status, refusal.errcode], [413, 'M_TOO_LARGE'])
    // What broke off is noticed before the server ends.
    await homeserver.restart()
    assert.deepEqual(incoming(homeserver), [])
    assert.equal(files(homeserver).length, 1)
  },
  SMALL,
)

eachHomeserver('what is not here, not of here or no media ID is not found', async (homeserver) => {
  const { register, services, url, stranger } = homeserver
  const alice = await register('alice')
  const media = await upload(alice, 'x')
  const refused = async (params: { serverName: string; mediaId: string }, query = {}) => {
    const { status, errcode } = await alice.refused(getContentAuthed, { params, query })
    return [status, errcode]
  }
  const { serverName, mediaId } = media
  assert.deepEqual(await refused({ serverName, mediaId: 'unknown' }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refused({ serverName, mediaId: 'unknown' }, { timeout_ms: '5000' }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refused({ serverName: 'other.org', mediaId }), [404, 'M_NOT_FOUND'])
  for (const bad of ['../../homeserver.db', '..%2f..', 'a b', 'ä', '\0', 'x'.repeat(256)]) {
    const [status] = await refused({ serverName, mediaId: bad })
    assert.equal(status, 400, bad)
  }
  assert.deepEqual(await refused({ serverName: 'no server!', mediaId }), [400, 'M_INVALID_PARAM'])
  assert.equal((await stranger().refused(getContentAuthed, { params: media })).errcode, 'M_MISSING_TOKEN')
  assert.equal((await stranger().refused(uploadContent, { raw: 'x' })).errcode, 'M_MISSING_TOKEN')
  assert.equal((await stranger().refused(getConfigAuthed)).errcode, 'M_MISSING_TOKEN')
  rmSync(join(folderOf(homeserver), 'files'), { recursive: true })
  assert.equal((await download(alice, url, media)).status, 404)
  assert.ok(await mediaOf(services.db, '', mediaId))
})

eachHomeserver('a file in quarantine is not given out', async ({ register, services }) => {
  const alice = await register('alice')
  const file = {
    origin: '',
    mediaId: 'quarantined',
    uploader: undefined,
    contentType: 'text/plain',
    uploadName: undefined,
    size: 1,
    sha256: undefined,
    createdTs: 1,
    lastAccessTs: undefined,
    isQuarantined: true,
  }
  await services.commit(new Change().write(mediaAdded, file))
  const params = { serverName: services.serverName, mediaId: 'quarantined' }
  const refusal = await alice.refused(getContentAuthed, { params })
  assert.deepEqual([refusal.status, refusal.errcode], [404, 'M_NOT_FOUND'])
})

eachHomeserver('when a file was looked at is noted once a day', async ({ register, services, url }) => {
  const alice = await register('alice')
  const media = await upload(alice, 'x')
  const seen = async () => (await mediaOf(services.db, '', media.mediaId))?.lastAccessTs
  assert.equal(await seen(), undefined)
  await download(alice, url, media)
  // The next commit comes after the one that notes it.
  await upload(alice, 'y')
  const first = await seen()
  assert.ok(first !== undefined)
  await download(alice, url, media)
  await upload(alice, 'z')
  assert.equal(await seen(), first)
})

const asked: string[] = []
const guard: Module = {
  name: 'guard',
  callbacks: {
    checkMediaFileForSpam: (requester, { contentType, size }) => {
      asked.push(`${requester.userId} ${contentType} ${size}`)
      return size === 3 ? { ok: false, rule: 'three', reason: 'No files of three bytes' } : { ok: true }
    },
  },
}

eachHomeserver(
  'a module may refuse a file, and nothing of it stays',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const refusal = await alice.refused(uploadContent, { raw: 'abc', headers: { 'content-type': 'text/css' } })
    assert.deepEqual([refusal.status, refusal.errcode], [403, 'M_FORBIDDEN'])
    assert.equal(asked.at(-1), `${alice.userId} text/css 3`)
    assert.deepEqual([...files(homeserver), ...incoming(homeserver)], [])
    assert.equal((await download(alice, homeserver.url, await upload(alice, 'abcd'))).status, 200)
  },
  { modules: [guard] },
)
