import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { tryConnecting } from '#test/helpers/postgres-connect.ts'

// Servers that are none, or want our password in a way that is not allowed. Each is a script: what is sent after the n-th message of ours.

const PASSWORD = 'the password that nobody may see'

const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}
const request = (code: number, rest = ''): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(code)
  return message('R', Buffer.concat([head, Buffer.from(rest)]))
}
const SCRAM = 'SCRAM-SHA-256\0\0'

/** Talks to the script, and gives what was said and what the other end heard. */
async function meet(
  script: readonly Buffer[],
  args: Record<string, string> = {},
): Promise<{ readonly said: string; readonly heard: string }> {
  const heard: Uint8Array[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    let step = 0
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (data: Buffer) => {
      heard.push(data)
      const answer = script[step++]
      if (answer === undefined) socket.destroy()
      else socket.write(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const tried = await tryConnecting(
    { host: '127.0.0.1', port: String(port), user: 'me', password: PASSWORD, sslmode: 'disable', ...args },
    { patienceMs: 2_000 },
  )
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  assert.equal(tried.ok, false)
  return { said: tried.ok ? '' : tried.message, heard: Buffer.concat(heard).toString('latin1') }
}

test('a password is not sent in the clear where a proof is demanded', async () => {
  for (const args of [
    { require_auth: 'scram-sha-256' },
    { require_auth: '!password,!md5' },
    { channel_binding: 'require' },
  ])
    for (const script of [[request(3)], [request(5, 'salt')]]) {
      const { said, heard } = await meet(script, args as unknown as Record<string, string>)
      assert.match(said, /server requested (password|md5) authentication|channel binding required/)
      assert.doesNotMatch(heard, /the password|md5[0-9a-f]{32}/)
    }
})

test('a server that does not know the password is found out', async () => {
  const early = await meet([request(10, SCRAM), request(0)])
  assert.match(early.said, /before it proved that it knows the password/)
  const wrong = await meet([request(10, SCRAM), request(11, 'r=short,s=AAAA,i=4096')])
  assert.match(wrong.said, /invalid SCRAM nonce/)
  const plus = await meet([request(10, 'SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0')])
  assert.match(plus.said, /SCRAM-SHA-256-PLUS authentication over a non-SSL connection/)
})

test('ways to sign in that are not ours are named', async () => {
  assert.match((await meet([request(7)])).said, /authentication method gss is not supported/)
  assert.match((await meet([request(9)])).said, /authentication method sspi is not supported/)
  assert.match((await meet([request(99)])).said, /authentication method 99 is not supported/)
  assert.match(
    (await meet([request(10, 'OAUTHBEARER\0\0')])).said,
    /SASL authentication mechanisms are supported \(OAUTHBEARER\)/,
  )
})

test('what is no PostgreSQL is found out', async () => {
  assert.match(
    (await meet([Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')])).said,
    /does not speak the protocol of PostgreSQL/,
  )
  assert.match((await meet([Buffer.alloc(0)])).said, /timeout expired/)
  assert.match((await meet([])).said, /server closed the connection unexpectedly/)
  assert.match((await meet([message('Q', Buffer.alloc(0))])).said, /expected authentication request/)
})

test('what comes in the clear after TLS was agreed to is not believed', async () => {
  const { said } = await meet([Buffer.concat([Buffer.from('S'), request(0)])], { sslmode: 'require' })
  assert.match(said, /received unencrypted data after SSL response/)
  assert.match(
    (await meet([Buffer.from('N')], { sslmode: 'require' })).said,
    /does not support SSL, but SSL was required/,
  )
  assert.match((await meet([Buffer.from('X')], { sslmode: 'require' })).said, /invalid response to SSL negotiation/)
})

test('a password that a server repeats is not repeated by us', async () => {
  const error = message('E', Buffer.from(`SFATAL\0C28P01\0Mno: ${PASSWORD}\0\0`))
  const { said } = await meet([request(3), error])
  assert.match(said, /FATAL: no: \*\*\*/)
})
