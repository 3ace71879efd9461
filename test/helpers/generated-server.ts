import { hash, randomBytes } from 'node:crypto'
import { Change, LOG_KIND } from '#storage/change.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { accountDataSet } from '#storage/stores/account-data.ts'
import { accountAdded } from '#storage/stores/accounts.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { backedUpKeySet } from '#storage/stores/backed-up-keys.ts'
import { deviceKeysSet } from '#storage/stores/device-keys.ts'
import { deviceListChanged } from '#storage/stores/device-lists.ts'
import { deviceAdded } from '#storage/stores/devices.ts'
import { keyBackupAdded } from '#storage/stores/key-backups.ts'
import { mediaAdded } from '#storage/stores/media.ts'
import { numbersTaken } from '#storage/stores/numbers.ts'
import { oneTimeKeyAdded } from '#storage/stores/one-time-keys.ts'
import { accessTokenAdded, sessionAdded } from '#storage/stores/sessions.ts'
import { fingerprintKey } from '#storage/stores/states.ts'
import { toDeviceAdded } from '#storage/stores/to-device.ts'
import { userAdded } from '#storage/stores/users.ts'
import { type Chance, GeneratedRoom, type GeneratedUser } from './generated-rooms.ts'

/** How large a server to make. Equal seeds make equal servers. */
export type Generated = { readonly events: number; readonly seed?: number; readonly serverName?: string }

/** Events that one transaction writes. */
const CHUNK = 2_000
const START_TS = 1_700_000_000_000

/** Fills an empty database with a server as it may be after some years: a few large rooms, many small ones, and all that users keep. */
export const generateServer = async (db: Database, options: Generated): Promise<{ readonly events: number }> => {
  const { events, seed = 1, serverName = 'example.org' } = options
  const chance = seeded(seed)
  await using committer = new Committer({ database: db, operations: OPERATIONS, randomBytes, onCommitted: () => {} })
  const writer = new ChunkWriter(committer)
  const users = await generateUsers(writer, { count: Math.max(8, Math.floor(events / 150)), serverName, chance })
  const fingerprints = new Fingerprints(await fingerprintKey(db))
  const rooms: GeneratedRoom[] = []
  const roomCount = Math.max(3, Math.floor(events / 400))
  const share = Math.max(2, (events * 0.15) / Math.log(roomCount + 1))
  for (let number = 1; number <= roomCount; number++) {
    const room = new GeneratedRoom(number, { fingerprints, chance, serverName })
    const size = Math.max(2, Math.min(users.length, Math.floor(share / number)))
    room.begin(writer.change, pick(users, size, chance), START_TS)
    rooms.push(room)
    await writer.written(size + 3)
  }
  writer.change.write(numbersTaken, { name: 'room', count: roomCount })
  while (writer.events < events) {
    // Activity by a power law, as memberships are.
    const room = rooms[Math.floor(chance() ** 3 * rooms.length)] as GeneratedRoom
    room.go(writer.change, START_TS + writer.events * 500)
    await writer.written(1)
  }
  await writer.finish()
  return { events: writer.events }
}

/** Puts rows together into large changes: the next is made while the last is written. */
class ChunkWriter {
  change = new Change()
  events = 0
  readonly #committer: Committer
  #inChange = 0
  #flying: Promise<unknown> = Promise.resolve()

  constructor(committer: Committer) {
    this.#committer = committer
  }

  /** So much was added to the change. */
  async written(count: number, isEvents = true): Promise<void> {
    if (isEvents) this.events += count
    this.#inChange += count
    if (this.#inChange >= CHUNK) await this.#commit()
  }

  async #commit(): Promise<void> {
    const { change } = this
    this.change = new Change()
    this.#inChange = 0
    await this.#flying
    this.#flying = this.#committer.commit(change).then((outcome) => {
      if (!outcome.ok) throw new Error(`refused by ${outcome.refusedBy}`)
    })
    // It is heard of when the next is committed.
    this.#flying.catch(() => {})
  }

  async finish(): Promise<void> {
    await this.#commit()
    await this.#flying
  }
}

type Users = { readonly count: number; readonly serverName: string; readonly chance: Chance }

async function generateUsers(writer: ChunkWriter, { count, serverName, chance }: Users): Promise<GeneratedUser[]> {
  const users: GeneratedUser[] = []
  for (let user = 1; user <= count; user++) {
    const isLocal = user === 1 || chance() < 0.6
    const userId = `@user${user}:${isLocal ? serverName : `remote${user % 50}.example`}`
    writer.change.write(userAdded, { user, userId, isLocal })
    users.push({ user, userId, isLocal })
    if (isLocal) generateAccount(writer.change, user, chance)
    await writer.written(20, false)
  }
  writer.change.write(numbersTaken, { name: 'user', count })
  writer.change.write(numbersTaken, { name: 'session', count })
  return users
}

function generateAccount(change: Change, user: number, chance: Chance): void {
  change.write(accountAdded, {
    user,
    kind: 'user',
    appservice: undefined,
    passwordHash: `$2b$12$${hash('sha256', `password ${user}`, 'base64url').repeat(2).slice(0, 53)}`,
    createdTs: START_TS,
    isAdmin: user === 1,
    isLocked: false,
    isSuspended: false,
    isShadowBanned: false,
    isApproved: true,
    isDeactivated: chance() < 0.05,
    isErased: false,
  })
  const devices = 1 + Math.floor(chance() * 3)
  for (let n = 0; n < devices; n++) generateDevice(change, user, `GENERATED${n}`)
  change.write(deviceListChanged, { user, pos: change.log({ kind: LOG_KIND.deviceList, user }) })
  generateSession(change, user)
  for (const type of ['m.direct', 'm.push_rules', 'im.vector.setting'].slice(0, 1 + Math.floor(chance() * 3))) {
    const content = JSON.stringify({ [`${type} of ${user}`]: ['!a:example.org', user] })
    change.write(accountDataSet, {
      user,
      room: 0,
      type,
      content,
      pos: change.log({ kind: LOG_KIND.accountData, user }),
    })
  }
  if (chance() < 0.5) generateBackup(change, user, Math.floor(chance() ** 2 * 60))
  for (let n = Math.floor(chance() * 4); n > 0; n--) generateMedia(change, user, n)
}

function generateDevice(change: Change, user: number, deviceId: string): void {
  change.write(deviceAdded, {
    user,
    deviceId,
    displayName: `Client on a device of ${user}`,
    createdTs: START_TS,
    lastSeenTs: START_TS + user,
    lastSeenIp: `198.51.100.${user % 256}`,
    lastSeenUserAgent: undefined,
  })
  const key = hash('sha256', `${user} ${deviceId}`, 'base64')
  const keys = JSON.stringify({ keys: { [`curve25519:${deviceId}`]: key, [`ed25519:${deviceId}`]: key } })
  change.write(deviceKeysSet, { user, deviceId, keys })
  for (let n = 0; n < 5; n++) {
    change.write(oneTimeKeyAdded, {
      user,
      deviceId,
      algorithm: 'signed_curve25519',
      keyId: `AAAAA${n}`,
      key: JSON.stringify({ key }),
      pos: change.log({ kind: LOG_KIND.oneTimeKeys, user }),
      isClaimed: n === 0,
    })
  }
  change.write(toDeviceAdded, {
    user,
    deviceId,
    pos: change.log({ kind: LOG_KIND.toDevice, user }),
    sender: user,
    type: 'm.room.encrypted',
    content: JSON.stringify({ algorithm: 'm.olm.v1', ciphertext: key.repeat(8) }),
  })
}

function generateSession(change: Change, user: number): void {
  const createdTs = START_TS
  change.write(sessionAdded, {
    session: user,
    user,
    deviceId: 'GENERATED0',
    kind: 'legacy',
    createdTs,
    expiresTs: undefined,
    authenticatedTs: createdTs,
  })
  change.write(accessTokenAdded, {
    hash: hash('sha256', `token ${user}`, 'buffer'),
    session: user,
    createdTs,
    expiresTs: undefined,
    refresh: undefined,
    isFresh: false,
  })
}

function generateBackup(change: Change, user: number, count: number): void {
  const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'
  change.write(keyBackupAdded, { user, version: 1, algorithm, authData: '{}', etag: count, count, isDeleted: false })
  for (let n = 0; n < count; n++) {
    change.write(backedUpKeySet, {
      user,
      version: 1,
      roomId: `!${n % 5}:example.org`,
      sessionId: hash('sha256', `session ${user} ${n}`, 'base64'),
      firstMessageIndex: n,
      forwardedCount: 0,
      isVerified: n % 2 === 0,
      sessionData: JSON.stringify({ ciphertext: 'x'.repeat(400), ephemeral: 'y'.repeat(43), mac: 'z'.repeat(11) }),
    })
  }
}

function generateMedia(change: Change, user: number, n: number): void {
  change.write(mediaAdded, {
    origin: '',
    mediaId: hash('sha256', `media ${user} ${n}`, 'hex').slice(0, 24),
    uploader: user,
    contentType: 'image/png',
    uploadName: `picture ${n}.png`,
    size: 10_000 + n,
    sha256: hash('sha256', `content ${user} ${n}`, 'buffer'),
    createdTs: START_TS,
    lastAccessTs: undefined,
    isQuarantined: false,
  })
}

/** Different ones of the list; the first stays first if it is chosen. */
function pick<T>(list: readonly T[], count: number, chance: Chance): T[] {
  const chosen = new Set<T>()
  if (count > list.length / 2) for (const item of list.slice(0, count)) chosen.add(item)
  while (chosen.size < count) chosen.add(list[Math.floor(chance() * list.length)] as T)
  return [...chosen]
}

function seeded(seed: number): Chance {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
