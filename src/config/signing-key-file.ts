import { createPrivateKey, createPublicKey } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { type Random, randomLetters } from '#util/random.ts'

/** A key that the server signs with. Its ID is `ed25519:` and the name. */
export type SigningKey = {
  /** Letters, digits and underscores. */
  readonly name: string
  /** 32 bytes: the private half. */
  readonly seed: Uint8Array
}

/** What a key file contains, the key to sign with first; or what is wrong with it. */
export type SigningKeys =
  | { readonly ok: true; readonly keys: readonly [SigningKey, ...SigningKey[]] }
  | { readonly ok: false; readonly reason: string }

/** Reads the text of a key file: `ed25519 a_AbCd <seed in base64>` on each line, as Synapse writes it. */
export function parseSigningKeys(text: string): SigningKeys {
  const keys: SigningKey[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/\s+/)
    if (line.trim() === '' || line.startsWith('#')) continue
    const [algorithm, name, seed] = words
    const reason = objection(words)
    if (reason !== undefined) return { ok: false, reason: `Line ${index + 1}: ${reason}` }
    if (algorithm !== undefined && name !== undefined && seed !== undefined)
      keys.push({ name, seed: new Uint8Array(Buffer.from(seed, 'base64')) })
  }
  const [first, ...others] = keys
  return first === undefined
    ? { ok: false, reason: 'There is no key in the file.' }
    : { ok: true, keys: [first, ...others] }
}

/** The text of a key file. */
export const formatSigningKeys = (keys: readonly SigningKey[]): string =>
  keys.map(({ name, seed }) => `ed25519 ${name} ${unpadded(seed)}\n`).join('')

/** A new key, under a new name such as `a_AbCd`. */
export const generateSigningKey = (random: Random): SigningKey => ({
  name: `a_${randomLetters(random, 4)}`,
  seed: new Uint8Array(random.bytes(32)),
})

/** The ID that others know the key by. */
export const signingKeyId = ({ name }: SigningKey): string => `ed25519:${name}`

/** The public half of the key, in base64 without padding, as it is published. */
export function publicKeyOf({ seed }: SigningKey): string {
  const der = Buffer.concat([PKCS8_ED25519, seed])
  const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' })
  return unpadded(Buffer.from(jwk.x ?? '', 'base64url'))
}

/** Reads a key file. A missing file gives `undefined`. */
export function readSigningKeyFile(path: string): SigningKeys | undefined {
  try {
    return parseSigningKeys(readFileSync(path, 'utf8'))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return code === 'ENOENT' ? undefined : { ok: false, reason: `The file cannot be read (${code}).` }
  }
}

/** Writes a key file that does not exist yet; throws where it does. Its owner may read it, and by default its group, as with Synapse. */
export function createSigningKeyFile(path: string, keys: readonly SigningKey[], mode: 0o640 | 0o600 = 0o640): void {
  writeFileSync(path, formatSigningKeys(keys), { mode: 0o600, flag: 'wx' })
  chmodSync(path, mode)
}

/** The keys of a file, which is made with a new key where it is missing. */
export function ensureSigningKeyFile(path: string, random: Random, mode: 0o640 | 0o600 = 0o640): SigningKeys {
  const existing = readSigningKeyFile(path)
  if (existing !== undefined) return existing
  const key = generateSigningKey(random)
  createSigningKeyFile(path, [key], mode)
  return { ok: true, keys: [key] }
}

/** What stands before the seed in a PKCS #8 private key. https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

function objection(words: readonly string[]): string | undefined {
  const [algorithm, name, seed] = words
  if (words.length !== 3 || name === undefined || seed === undefined)
    return 'Expected an algorithm, a name and a key, with spaces between them.'
  if (algorithm !== 'ed25519') return `Expected the algorithm ed25519, and got ${algorithm}.`
  if (!/^[A-Za-z0-9_]+$/.test(name)) return 'Expected letters, digits and underscores for the name of the key.'
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(seed)) return 'Expected a key of 32 bytes in base64.'
  return undefined
}
