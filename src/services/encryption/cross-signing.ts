import { hash } from 'node:crypto'
import type { Requester } from '#api/requester.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { forbidden, invalidParam, invalidSignature, missingParam, tooLarge, unknown } from '#protocol/errors.ts'
import { verifyJson } from '#protocol/signing/verify-json.ts'
import type { Confirmations, Confirmed } from '#services/accounts/interactive-auth/confirmations.ts'
import { usedMeanwhile } from '#services/accounts/interactive-auth/interactive-auth.ts'
import type { SentFields } from '#services/accounts/password-check.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  crossSigningKeyRemoved,
  crossSigningKeySet,
  crossSigningKeysOf,
  crossSigningUnchanged,
  type KeyUsage,
  publicKeyNoDevice,
} from '#storage/stores/cross-signing.ts'
import { keySignaturesRemoved, ownSignaturesRemoved } from '#storage/stores/key-signatures.ts'
import { isObject, type WrittenObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { type CrossSigningKey, readCrossSigningKey, signedPart } from './cross-signing-key.ts'
import { noteDeviceListChange } from './note-device-list.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly confirmations: Confirmations
}

/** Keys to be published, by usage, and the `auth` of the request. */
export type CrossSigningUpload = {
  readonly keys: Readonly<Partial<Record<KeyUsage, WrittenObject | undefined>>>
  readonly auth: SentFields | undefined
}

type Keys = ReadonlyMap<KeyUsage, CrossSigningKey>

const USAGES = ['master', 'self_signing', 'user_signing'] as const
/** The largest key, as canonical JSON; the specification sets no bound. */
const MAX_BYTES = 32 * 1024
/** How often an upload is judged again because another one came first. */
const ATTEMPTS = 10

/** Takes the cross-signing keys that users publish. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export class CrossSigning {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Publishes keys. The first ones, and those that are there already, need nothing else; others need interactive authentication. */
  async upload(requester: Requester, { keys, auth }: CrossSigningUpload): Promise<void> {
    const uploaded = readKeys(requester, keys)
    let confirmed: Confirmed | undefined
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const stored = await this.#stored(requester)
      judgeSignatures(requester, uploaded, stored)
      const added = new Map([...uploaded].filter(([usage, key]) => !isSame(stored.get(usage), key)))
      if (added.size === 0) return
      if (stored.has('master')) confirmed ??= await this.#confirm(requester, uploaded, auth)
      const change = changeOf(requester, stored, added)
      confirmed?.finish(change)
      const outcome = await this.#deps.commit(change)
      if (outcome.ok) return
      if (outcome.refusedBy === publicKeyNoDevice.name) throw forbidden('One of your devices has that key for its ID')
      if (outcome.refusedBy !== crossSigningUnchanged.name) throw usedMeanwhile()
    }
    throw unknown('Your keys are uploaded by too many at once. Try again.', { status: 503 })
  }

  /** Whoever can exchange the keys can take the user's place for all who trust them: a recent login is not enough. */
  #confirm(requester: Requester, uploaded: Keys, auth: SentFields | undefined): Promise<Confirmed> {
    const keys = canonicalJson([...uploaded.values()].map(({ object }) => object))
    const operation = `upload cross-signing keys ${hash('sha256', keys, 'base64url')}`
    return this.#deps.confirmations.ask(requester, { operation, auth, mayBeRecent: false })
  }

  async #stored({ user, userId }: Requester): Promise<Keys> {
    const rows = await crossSigningKeysOf(this.#deps.db, [user])
    return new Map(
      rows.flatMap(({ usage, key }) => {
        const read = readCrossSigningKey(JSON.parse(key), { userId, usage })
        return isRefusal(read) ? [] : [[usage, read] as const]
      }),
    )
  }
}

function readKeys({ userId }: Requester, keys: CrossSigningUpload['keys']): Keys {
  const read = new Map<KeyUsage, CrossSigningKey>()
  for (const usage of USAGES) {
    const object = keys[usage]
    if (!isObject(object)) continue
    const key = readCrossSigningKey(object, { userId, usage })
    if (isRefusal(key)) throw invalidParam(`'${usage}_key': ${key.reason}`)
    if (Buffer.byteLength(canonicalJson(object)) > MAX_BYTES)
      throw tooLarge(`A key may have ${MAX_BYTES} bytes, not more`)
    if ([...read.values()].some(({ publicKey }) => publicKey === key.publicKey)) {
      throw invalidParam('Each usage needs a key of its own')
    }
    read.set(usage, key)
  }
  return read
}

/** The other keys are signed by the master key that comes with them, or by the one that is there. */
function judgeSignatures({ userId }: Requester, uploaded: Keys, stored: Keys): void {
  const master = uploaded.get('master') ?? stored.get('master')
  if (master === undefined) throw missingParam("There is no master key: expected 'master_key'")
  for (const usage of ['self_signing', 'user_signing'] as const) {
    const key = uploaded.get(usage)
    if (key === undefined) continue
    const verdict = verifyJson(key.object, userId, (keyId) => (keyId === master.keyId ? master.verifyKey : undefined))
    if (!verdict.ok) throw invalidSignature(`'${usage}_key': ${verdict.reason}`)
  }
}

const isSame = (stored: CrossSigningKey | undefined, key: CrossSigningKey): boolean =>
  stored !== undefined && signedPart(stored.object) === signedPart(key.object)

function changeOf({ user }: Requester, stored: Keys, added: Keys): Change {
  const publicKey = (usage: KeyUsage): string => stored.get(usage)?.publicKey ?? ''
  const change = new Change().require(crossSigningUnchanged, {
    user,
    master: publicKey('master'),
    selfSigning: publicKey('self_signing'),
    userSigning: publicKey('user_signing'),
  })
  for (const [usage, key] of added) {
    change.require(publicKeyNoDevice, { user, publicKey: key.publicKey })
    change.write(crossSigningKeySet, { user, usage, publicKey: key.publicKey, key: canonicalJson(key.object) })
  }
  for (const [usage, { publicKey: former, keyId }] of stored) {
    // What the former master key signed is worth nothing under another one.
    const isOrphan = usage !== 'master' && added.has('master') && !added.has(usage)
    if (isOrphan) change.write(crossSigningKeyRemoved, { user, usage })
    if (!isOrphan && !added.has(usage)) continue
    if (usage === 'self_signing') change.write(ownSignaturesRemoved, { user, keyId })
    if (usage === 'master') change.write(keySignaturesRemoved, { signedUser: user, target: former })
  }
  noteDeviceListChange(change, user)
  return change
}
