import type { KeyObject } from 'node:crypto'
import type { Requester } from '#api/requester.ts'
import { invalidParam, invalidSignature, type MatrixError, notFound, tooLarge, unknown } from '#protocol/errors.ts'
import { readPublicKey } from '#protocol/signing/ed25519.ts'
import { signingKeyIds, verifyJson } from '#protocol/signing/verify-json.ts'
import type { Users } from '#services/accounts/users.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  type CrossSigningKeyRow,
  crossSigningKeysOf,
  type KeyUsage,
  masterKeyIs,
} from '#storage/stores/cross-signing.ts'
import { deviceKeysAre, deviceKeysOfDevices } from '#storage/stores/device-keys.ts'
import { type KeySignatureRow, keySignatureSet, visibleSignatures } from '#storage/stores/key-signatures.ts'
import { get, getString, type JsonObject } from '#util/json.ts'
import { signedPart } from './cross-signing-key.ts'
import { askedUsers } from './local-users.ts'
import { noteDeviceListChange } from './note-device-list.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly users: Users }

/** By user, by device ID or public key: what was signed, with the signatures. */
export type SignedKeys = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
/** By user, by device ID or public key: why the signatures were not taken. */
export type SignatureFailures = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>

/** What there is to sign and to sign with. Objects by device ID or public key, keys by key ID. */
type Known = {
  readonly objects: ReadonlyMap<string, JsonObject>
  /** The keys of devices as they are stored, by device ID. */
  readonly devices: ReadonlyMap<string, string>
  readonly signers: (target: string) => ReadonlyMap<string, KeyObject>
}
type Target = { readonly user: number; readonly target: string; readonly object: JsonObject }

/** The most objects of one request, and the most devices whose signatures on one of them are looked at. */
const MAX_OBJECTS = 500
const MAX_SIGNERS = 100
const MAX_KNOWN = 10_000
/** How often an upload is judged again because what it signs changed meanwhile. */
const ATTEMPTS = 5

/** Takes the signatures that users make over keys and devices. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload */
export class KeySignatures {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Takes what is right, and says what is wrong with the rest. */
  async upload(requester: Requester, signed: SignedKeys): Promise<SignatureFailures> {
    const count = Object.values(signed).reduce((sum, objects) => sum + Object.keys(objects).length, 0)
    if (count > MAX_OBJECTS) throw tooLarge(`At most ${MAX_OBJECTS} signed objects are taken at once`)
    const asked = await askedUsers(this.#deps.users, Object.keys(signed))
    const numbers = new Map<string, number>(asked.numbers)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const failures = await this.#take(requester, signed, numbers)
      if (failures !== undefined) return failures
    }
    throw unknown('What you sign changes all the time. Try again.', { status: 503 })
  }

  /** Resolves to what is wrong; `undefined`: something of it was exchanged meanwhile, and nothing was taken. */
  async #take(
    requester: Requester,
    signed: SignedKeys,
    numbers: ReadonlyMap<string, number>,
  ): Promise<SignatureFailures | undefined> {
    const failures = new Map<string, Map<string, JsonObject>>()
    const rows: KeySignatureRow[] = []
    const known = await this.#knownOf(requester, numbers, signed)
    for (const [userId, objects] of Object.entries(signed)) {
      const user = numbers.get(userId)
      for (const [target, object] of Object.entries(objects)) {
        const taken =
          user === undefined ? NOT_KNOWN : judge(requester, { user, target, object }, known.get(user) ?? NOTHING)
        if (Array.isArray(taken)) rows.push(...taken)
        else failures.set(userId, (failures.get(userId) ?? new Map()).set(target, (taken as MatrixError).toJSON()))
      }
    }
    if (!(await this.#write(requester, rows, known))) return undefined
    return Object.fromEntries([...failures].map(([userId, byTarget]) => [userId, Object.fromEntries(byTarget)]))
  }

  /** Whether it could be written: what is signed must be there still. */
  async #write(
    { user }: Requester,
    rows: readonly KeySignatureRow[],
    known: ReadonlyMap<number, Known>,
  ): Promise<boolean> {
    const signedUsers = new Set(rows.map(({ signedUser }) => signedUser))
    const there = await visibleSignatures(this.#deps.db, signedUsers, { viewer: user, limit: MAX_KNOWN })
    const names = new Set(there.map(nameOf))
    const added = rows.filter((row) => !names.has(nameOf(row)))
    if (added.length === 0) return true
    const change = new Change()
    const targets = new Map(added.map((row) => [JSON.stringify([row.signedUser, row.target]), row]))
    for (const { signedUser, target } of targets.values()) {
      const keys = known.get(signedUser)?.devices.get(target)
      if (keys === undefined) change.require(masterKeyIs, { user: signedUser, publicKey: target })
      else change.require(deviceKeysAre, { user: signedUser, deviceId: target, keys })
    }
    for (const row of added) change.write(keySignatureSet, row)
    // Everybody may see what users sign of their own; what they sign of others is for themselves.
    for (const signedUser of new Set(added.map((row) => row.signedUser))) {
      if (signedUser === user) noteDeviceListChange(change, user)
      else change.log({ kind: LOG_KIND.keySignature, user, item: signedUser })
    }
    return (await this.#deps.commit(change)).ok
  }

  async #knownOf(
    requester: Requester,
    numbers: ReadonlyMap<string, number>,
    signed: SignedKeys,
  ): Promise<ReadonlyMap<number, Known>> {
    const rows = await crossSigningKeysOf(this.#deps.db, new Set([...numbers.values(), requester.user]))
    const byUser = Map.groupBy(rows, ({ user }) => user)
    const own = byUser.get(requester.user) ?? []
    const known = new Map<number, Known>()
    for (const user of numbers.values()) {
      const keys = byUser.get(user) ?? []
      known.set(
        user,
        user === requester.user
          ? await this.#ownKnown(requester, own, signed[requester.userId] ?? {})
          : { ...NOTHING, objects: objectsOf(keys, ['master']), signers: () => keysOf(own, ['user_signing']) },
      )
    }
    return known
  }

  /** One's devices are signed by the self-signing key, one's master key by the devices. */
  async #ownKnown(
    { user, userId }: Requester,
    own: readonly CrossSigningKeyRow[],
    signed: Readonly<Record<string, JsonObject>>,
  ): Promise<Known> {
    const master = own.find(({ usage }) => usage === 'master')?.publicKey
    const onMaster = master === undefined ? undefined : get(signed, master)
    const signers = signingKeyIds((onMaster ?? {}) as JsonObject, userId).slice(0, MAX_SIGNERS)
    const devices = await deviceKeysOfDevices(this.#deps.db, user, [
      ...Object.keys(signed),
      ...signers.map((keyId) => keyId.slice('ed25519:'.length)),
    ])
    const objects = new Map<string, JsonObject>(devices.map(({ deviceId, keys }) => [deviceId, JSON.parse(keys)]))
    const deviceKeys = new Map(
      [...objects].flatMap(([deviceId, object]) => {
        const keyId = `ed25519:${deviceId}`
        const key = readPublicKey(getString(get(object, 'keys'), keyId) ?? '')
        return key === undefined ? [] : [[keyId, key] as const]
      }),
    )
    const bySelf = keysOf(own, ['self_signing'])
    return {
      objects: new Map([...objects, ...objectsOf(own, ['master'])]),
      devices: new Map(devices.map(({ deviceId, keys }) => [deviceId, keys])),
      signers: (target) => (target === master ? deviceKeys : bySelf),
    }
  }
}

const NOTHING: Known = { objects: new Map(), devices: new Map(), signers: () => new Map() }
const NOT_KNOWN = notFound('No such key is known here')

/** The signatures that are to be kept, or what is wrong. */
function judge(
  { user, userId }: Requester,
  { user: signedUser, target, object }: Target,
  { objects, signers }: Known,
): KeySignatureRow[] | MatrixError {
  const stored = objects.get(target)
  if (stored === undefined) return NOT_KNOWN
  if (signedPart(stored) !== signedPart(object))
    return invalidParam('What was signed is not the key that is known here')
  const keys = signers(target)
  if (keys.size === 0) return notFound('You have no key that could have signed this')
  const verdict = verifyJson(object, userId, (keyId) => keys.get(keyId))
  if (!verdict.ok) return invalidSignature(verdict.reason)
  const own = get(get(object, 'signatures'), userId)
  return signingKeyIds(object, userId).flatMap((keyId) => {
    const signature = getString(own, keyId)
    return keys.has(keyId) && signature !== undefined ? [{ signedUser, target, signer: user, keyId, signature }] : []
  })
}

const nameOf = (row: KeySignatureRow): string => JSON.stringify([row.signedUser, row.target, row.keyId, row.signature])

const objectsOf = (rows: readonly CrossSigningKeyRow[], usages: readonly KeyUsage[]): Map<string, JsonObject> =>
  new Map(rows.filter(({ usage }) => usages.includes(usage)).map(({ publicKey, key }) => [publicKey, JSON.parse(key)]))

const keysOf = (rows: readonly CrossSigningKeyRow[], usages: readonly KeyUsage[]): Map<string, KeyObject> =>
  new Map(
    rows
      .filter(({ usage }) => usages.includes(usage))
      .flatMap(({ publicKey }) => {
        const key = readPublicKey(publicKey)
        return key === undefined ? [] : [[`ed25519:${publicKey}`, key] as const]
      }),
  )
