import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'
import { get } from '#util/json.ts'

type Answer = { readonly status: number; readonly body: unknown }

/** A server that offers the nonce `abcd` and answers registrations with `answer`; gives what was sent to it. */
async function withServer(answer: Answer, use: (url: string, sent: unknown[]) => Promise<void>): Promise<void> {
  const sent: unknown[] = []
  const server = createServer(async (request, response) => {
    const isNonce = request.method === 'GET'
    if (!isNonce) sent.push(await json(request))
    const isKnown = request.url === '/_synapse/admin/v1/register'
    response.statusCode = isKnown ? (isNonce ? 200 : answer.status) : 404
    response.end(JSON.stringify(isNonce ? { nonce: 'abcd' } : answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, sent)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
const DONE = { status: 200, body: {} }
const TAKEN = { status: 400, body: { errcode: 'M_USER_IN_USE', error: 'User ID already taken.' } }

test('an account is made with the proof of the secret', () =>
  withServer(DONE, async (url, sent) => {
    const flags = ['-u', 'pepper_roni', '-p', 'pizza', '--admin', '-k', 'shared_secret']
    const { code, out } = await recorded(['register-user', ...flags, url])
    assert.equal(code, 0)
    assert.equal(out, 'Sending registration request...\nSuccess!')
    assert.deepEqual(sent, [
      {
        nonce: 'abcd',
        username: 'pepper_roni',
        password: 'pizza',
        mac: '78611d3e2889563feeeed118aef1842146be1efa',
        admin: true,
        user_type: null,
      },
    ])
  }))

test('secret, address and password can come from files', () =>
  withServer(DONE, async (url, sent) =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'secret'), 'shared_secret\n')
      writeFileSync(join(folder, 'password'), 'wonderland\n')
      writeFileSync(
        join(folder, 'a.yaml'),
        `registration_shared_secret_path: ${join(folder, 'secret')}
listeners:
  - {port: 1, type: metrics}
  - {port: ${new URL(url).port}, type: http, resources: [{names: [client]}]}
`,
      )
      const flags = ['-u', 'alice', '--password-file', join(folder, 'password'), '-t', 'support']
      const { code, err } = await recorded(['register-user', '-c', join(folder, 'a.yaml'), ...flags])
      assert.equal(code, 0, err)
      assert.equal(get(sent[0], 'mac'), '1a07a82c091db30ae8e7787ff8d75a81e16a9df7')
      assert.equal(get(sent[0], 'admin'), false)
    }),
  ))

test('what is missing is asked for at a terminal, and only there', () =>
  withServer(DONE, async (url, sent) => {
    const answers = ['alice', 'secret', 'secret', true]
    assert.equal((await recorded(['register-user', '-k', 'x', url], { answers })).code, 0)
    assert.deepEqual([get(sent[0], 'username'), get(sent[0], 'admin')], ['alice', true])
    assert.equal((await recorded(['register-user', '-k', 'x', url])).code, 2)
    assert.equal((await recorded(['register-user', '-k', 'x', '-u', 'alice', url])).code, 2)
  }))

test('a name that is taken is an error unless it may be', () =>
  withServer(TAKEN, async (url) => {
    const args = ['register-user', '-u', 'alice', '-p', 'x', '--no-admin', '-k', 'x', url]
    const refused = await recorded(args)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /400 Bad Request: User ID already taken\./)
    assert.equal((await recorded([...args, '--exists-ok'])).code, 0)
  }))

test('a server that is not there, or is another, is told', async () => {
  const args = ['register-user', '-u', 'alice', '-p', 'x', '--no-admin', '-k', 'x']
  const away = await recorded([...args, 'http://127.0.0.1:1'])
  assert.equal(away.code, 1)
  assert.match(away.err, /No server can be reached at http:\/\/127\.0\.0\.1:1/)
  await withServer(DONE, async (url) => {
    assert.match((await recorded([...args, `${url}/elsewhere`])).err, /404 Not Found/)
  })
})

test('flags that contradict each other are refused, and so is a configuration without the secret', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.yaml')
    writeFileSync(path, 'server_name: x\n')
    assert.equal((await recorded(['register-user', '-k', 'x', '-c', path])).code, 2)
    assert.equal((await recorded(['register-user', '-p', 'x', '--password-file', path])).code, 2)
    const { code, err } = await recorded(['register-user', '-c', path])
    assert.equal(code, 1)
    assert.match(err, /has no registration_shared_secret/)
  }))
