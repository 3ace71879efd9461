import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { env } from 'node:process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ServerProcess } from '#test/helpers/server-process.ts'

// Two humans with matrix-nio, whose encryption is vodozemac by its Python bindings. It is no package of npm: where the Python that is found
// has it (`pip install 'matrix-nio[e2e]'`; MYELIN_NIO_PYTHON names another Python), this runs.

const PYTHON = env['MYELIN_NIO_PYTHON'] ?? 'python3'
const SCRIPT = fileURLToPath(new URL('matrix-nio.py', import.meta.url))
const OPEN = 'enable_registration: true\nenable_registration_without_verification: true'
const HAS_NIO = 'from nio.crypto import ENCRYPTION_ENABLED; assert ENCRYPTION_ENABLED'
const lacksNio = spawnSync(PYTHON, ['-c', HAS_NIO]).status !== 0

for (const kind of ['sqlite', 'postgres'] as const) {
  const skip = lacksNio && `${PYTHON} has no matrix-nio with encryption: this client is not tried`
  test(`two clients with matrix-nio talk, verify each other and go on after kill -9 (${kind})`, { skip }, async () => {
    await using server = await ServerProcess.start(kind, [], OPEN)
    const client = spawn(PYTHON, [SCRIPT, server.url], { stdio: ['pipe', 'pipe', 'pipe'] })
    const errors = text(client.stderr)
    const exit = once(client, 'exit')
    client.stdout.once('data', async () => {
      await server.kill()
      await server.launch()
      client.stdin.end('\n')
    })
    const [code] = await exit
    assert.equal(code, 0, await errors)
  })
}
