import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf, textOf } from './repository.ts'

// What Biome's walls around protocol/ do not see: members of globals that are allowed, and names of a module that is allowed.

const core = filesOf('src/protocol/**/*.ts').filter((path) => !/\.(test|testing)\.ts$/.test(path))

/** Where randomness or time could come from. */
const SOURCES =
  /\bMath\.random\b|\brandom(?:UUID|Bytes|Int|Fill|FillSync)\b|\bgetRandomValues\b|\bgenerateKey\w*\b|\bperformance\.|\bTemporal\.Now\b|\bhrtime\b|\bglobalThis\b|\bqueueMicrotask\b/
/** What the core needs of node:crypto: it hashes, signs and verifies. */
const CRYPTO = ['KeyObject', 'createHash', 'createPrivateKey', 'createPublicKey', 'hash', 'sign', 'verify']

test('the core takes neither randomness nor time from anywhere', () => {
  assert.ok(core.length > 0)
  for (const path of core) {
    for (const [at, line] of textOf(path).split('\n').entries()) {
      assert.doesNotMatch(line, SOURCES, `${path}:${at + 1} must be handed what it needs`)
    }
  }
})

test('the core uses of the cryptography only what hashes, signs and verifies', () => {
  for (const path of core) {
    for (const [, names = ''] of textOf(path).matchAll(/import (?:type )?\{([^}]*)\} from 'node:crypto'/g)) {
      const used = names.split(',').map((name) => name.trim().replace(/^type /, ''))
      assert.deepEqual(
        used.filter((name) => name !== '' && !CRYPTO.includes(name)),
        [],
        path,
      )
    }
  }
})

/** A room version that is put in an order. */
const COMPARED =
  /(?:roomVersion|room_version|rules\.version)\s*[<>]|[<>]=?\s*(?:roomVersion\b|rules\.version)|Number(?:\.parseInt)?\((?:roomVersion|rules\.version)/

test('room versions are data: nothing puts them in an order', () => {
  for (const path of filesOf('src/**/*.ts').filter((one) => !/\.(test|testing)\.ts$/.test(one))) {
    assert.doesNotMatch(textOf(path), COMPARED, path)
  }
  assert.match('if (rules.version >= "6")', COMPARED)
})
