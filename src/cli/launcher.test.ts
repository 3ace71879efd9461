import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inFolder } from '#cli/testing/recorded.ts'

const BIN = fileURLToPath(new URL('../../bin', import.meta.url))
const SYSTEM = '/usr/bin:/bin'

function start(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', env: { PATH: SYSTEM, ...environment } })
  return { status, stdout, stderr }
}

/** A Myelin without a Node of its own, with a `node` in PATH that says it is of that version. */
function bareInstallation(folder: string, version: string): { readonly launcher: string; readonly path: string } {
  for (const name of ['myelin/bin', 'path']) mkdirSync(join(folder, name), { recursive: true })
  const launcher = join(folder, 'myelin/bin/myelin')
  copyFileSync(join(BIN, 'myelin'), launcher)
  const node = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "$NODE_COMPILE_CACHE" "$@"; fi\n`
  writeFileSync(join(folder, 'path/node'), node, { mode: 0o755 })
  return { launcher, path: `${join(folder, 'path')}:${SYSTEM}` }
}

test('the launcher works through symbolic links', () =>
  inFolder(async (folder) => {
    symlinkSync(join(BIN, 'myelin'), join(folder, 'one'))
    symlinkSync('one', join(folder, 'two'))
    const { status, stdout } = start(join(folder, 'two'), ['version'], { XDG_CACHE_HOME: join(folder, 'cache') })
    assert.equal(status, 0)
    assert.match(stdout, /^myelin .* \(Node 26\./)
    symlinkSync(join(BIN, 'generate_signing_key'), join(folder, 'three'))
    assert.match(start(join(folder, 'three'), [], { HOME: folder }).stdout, /^ed25519 a_/)
  }))

test('a Node in PATH that is new enough is taken, with a folder for compiled code', () =>
  inFolder(async (folder) => {
    const { launcher, path } = bareInstallation(folder, 'v26.1.0')
    const cli = join(folder, 'myelin/src/cli')
    const main = `--max-semi-space-size=64 --expose-gc --import ${cli}/short-way.ts ${cli}/main.ts`
    const PATH = path
    assert.equal(start(launcher, ['a b'], { PATH, HOME: folder }).stdout, `${folder}/.cache/myelin ${main} a b\n`)
    assert.equal(start(launcher, [], { PATH, HOME: folder, NODE_COMPILE_CACHE: '/mine' }).stdout, `/mine ${main}\n`)
    assert.equal(start(launcher, [], { PATH }).stdout, ` ${main}\n`)
  }))

test('without a Node that is new enough the launcher says how to get one', () =>
  inFolder(async (folder) => {
    const { launcher, path } = bareInstallation(folder, 'v20.20.2')
    const { status, stdout, stderr } = start(launcher, ['version'], { PATH: path })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^Myelin needs Node 26 or later: [^\n]*\n$/)
  }))

test('what Synapse calls the server also makes its configuration', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'homeserver.yaml')
    const args = ['-c', path, '--generate-config', '--report-stats=no', '-H', 'example.org', '--data-directory', folder]
    const { status, stdout } = start(join(BIN, 'synapse_homeserver'), args, { HOME: folder })
    assert.equal(status, 0)
    assert.match(stdout, /A configuration for example\.org is in/)
  }))
