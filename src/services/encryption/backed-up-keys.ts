import type { Requester } from '#api/requester.ts'
import { invalidParam, notFound, tooLarge, unknown, wrongRoomKeysVersion } from '#protocol/errors.ts'
import { fitsIdentifier, parseRoomId } from '#protocol/identifiers.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  type BackedUpKeyRow,
  backedUpKey,
  backedUpKeySet,
  backedUpKeysAfter,
  backedUpKeysOfRoom,
  backedUpKeysRemoved,
  type KeyQuality,
  keyQualities,
} from '#storage/stores/backed-up-keys.ts'
import {
  backupCounted,
  backupUnchanged,
  currentKeyBackup,
  type KeyBackupRow,
  keyBackupOf,
} from '#storage/stores/key-backups.ts'
import type { JsonObject } from '#util/json.ts'
import { readBackupVersion } from './backup-version.ts'
import { inSlices } from './in-slices.ts'

type Deps = { readonly db: Reader; readonly commit: Commit }

/** A key as clients write it. */
export type RoomKey = {
  readonly firstMessageIndex: number
  readonly forwardedCount: number
  readonly isVerified: boolean
  readonly sessionData: JsonObject
}
/** A key and where it belongs. */
export type PlacedKey = RoomKey & { readonly roomId: string; readonly sessionId: string }
/** Keys of a backup: all of them, those of a room, or one. */
export type KeysWanted = { readonly roomId?: string; readonly sessionId?: string }
/** How a backup stands. */
export type BackupState = { readonly count: number; readonly etag: string }

/** The largest encrypted key, as JSON; the specification sets no bound. */
const MAX_SESSION_DATA_BYTES = 64 * 1024
/** How many keys are read, written or removed at once. */
const SLICE = 500
/** How often a change is judged again because another device was faster. */
const ATTEMPTS = 100

/** The keys in users' backups. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export class BackedUpKeys {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Stores keys in the current backup, each unless the one that is there is as good. */
  async put({ user }: Requester, version: string, keys: readonly PlacedKey[]): Promise<BackupState> {
    const rows = keys.map((key) => readKey(key))
    let state: KeyBackupRow | undefined
    for await (const slice of inSlices(rows, SLICE)) state = await this.#put(user, version, slice)
    return stateOf(state ?? (await this.#current(user, version)))
  }

  /** One key. */
  async one({ user }: Requester, version: string, place: { readonly roomId: string; readonly sessionId: string }) {
    const backup = await this.#existing(user, version)
    const row = await backedUpKey(this.#deps.db, { user, version: backup.version, ...place })
    if (row === undefined) throw notFound('There is no such key in the backup')
    return {
      firstMessageIndex: row.firstMessageIndex,
      forwardedCount: row.forwardedCount,
      isVerified: row.isVerified,
      sessionData: JSON.parse(row.sessionData) as JsonObject,
    }
  }

  /** All keys of a backup, printed piece by piece: they may be many. */
  async printAll({ user }: Requester, version: string): Promise<AsyncIterable<string>> {
    const backup = await this.#existing(user, version)
    return this.#printed(backup)
  }

  /** All keys of a room in a backup, likewise. */
  async printRoom({ user }: Requester, version: string, roomId: string): Promise<AsyncIterable<string>> {
    const backup = await this.#existing(user, version)
    return this.#printedRoom(backup, roomId)
  }

  /** Takes keys out of a backup. */
  async remove({ user }: Requester, version: string, wanted: KeysWanted): Promise<BackupState> {
    for (let refusals = 0; refusals < ATTEMPTS; ) {
      const backup = await this.#existing(user, version)
      const keys = await this.#wanted(backup, wanted)
      if (keys.length === 0) return stateOf(backup)
      const next = { ...backup, etag: backup.etag + 1, count: backup.count - keys.length }
      const change = changeOf(backup, next, { mustBeCurrent: false })
      if (!(await this.#deps.commit(addRemoval(change, keys))).ok) refusals++
    }
    throw tooMany()
  }

  /** Removes all keys of a backup that is deleted. */
  async purge(user: number, version: number): Promise<void> {
    for (;;) {
      const keys = await backedUpKeysAfter(this.#deps.db, { user, version, roomId: '', sessionId: '' }, SLICE)
      if (keys.length === 0) return
      await this.#deps.commit(addRemoval(new Change(), keys))
    }
  }

  async #put(user: number, version: string, keys: readonly StoredKey[]): Promise<KeyBackupRow> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const backup = await this.#current(user, version)
      const { better, added } = await this.#better(backup, keys)
      if (better.length === 0) return backup
      const next = { ...backup, etag: backup.etag + 1, count: backup.count + added }
      // What was judged is judged again if anything of the backup changed meanwhile.
      const change = changeOf(backup, next, { mustBeCurrent: true })
      for (const key of better) change.write(backedUpKeySet, { user, version: backup.version, ...key })
      if ((await this.#deps.commit(change)).ok) return next
    }
    throw tooMany()
  }

  /** Those of the keys that are better than what is there, and how many of them are new. */
  async #better(
    { user, version }: KeyBackupRow,
    keys: readonly StoredKey[],
  ): Promise<{ readonly better: StoredKey[]; readonly added: number }> {
    const better: StoredKey[] = []
    let added = 0
    for (const [roomId, ofRoom] of Map.groupBy(keys, (key) => key.roomId)) {
      const sessionIds = ofRoom.map(({ sessionId }) => sessionId)
      const rows = await keyQualities(this.#deps.db, { user, version, roomId }, sessionIds)
      const known = new Map(rows.map((row) => [row.sessionId, row]))
      for (const key of ofRoom) {
        const there = known.get(key.sessionId)
        if (there === undefined) added++
        if (there === undefined || isBetter(key, there)) better.push(key)
      }
    }
    return { better, added }
  }

  /** The backup of that version, which must be the current one. */
  async #current(user: number, version: string): Promise<KeyBackupRow> {
    const current = await currentKeyBackup(this.#deps.db, user)
    if (current !== undefined && String(current.version) === version) return current
    await this.#existing(user, version)
    if (current === undefined) throw notThere()
    throw wrongRoomKeysVersion('There is a newer backup', String(current.version))
  }

  async #existing(user: number, written: string): Promise<KeyBackupRow> {
    const version = readBackupVersion(written)
    const backup = version === undefined ? undefined : await keyBackupOf(this.#deps.db, user, version)
    if (backup === undefined || backup.isDeleted) throw notThere()
    return backup
  }

  /** The first of the keys that are wanted; they stand together in the order of keys. */
  async #wanted({ user, version }: KeyBackupRow, { roomId, sessionId }: KeysWanted): Promise<BackedUpKeyRow[]> {
    const { db } = this.#deps
    if (roomId === undefined) return backedUpKeysAfter(db, { user, version, roomId: '', sessionId: '' }, SLICE)
    if (sessionId === undefined) return backedUpKeysOfRoom(db, { user, version, roomId, sessionId: '' }, SLICE)
    const one = await backedUpKey(db, { user, version, roomId, sessionId })
    return one === undefined ? [] : [one]
  }

  async *#printed({ user, version }: KeyBackupRow): AsyncGenerator<string> {
    yield '{"rooms":{'
    let room: string | undefined
    for (let place = { user, version, roomId: '', sessionId: '' }; ; ) {
      const page = await backedUpKeysAfter(this.#deps.db, place, SLICE)
      let text = ''
      for (const row of page) {
        if (row.roomId === room) text += ','
        else text += `${room === undefined ? '' : '}},'}${JSON.stringify(row.roomId)}:{"sessions":{`
        text += printKey(row)
        room = row.roomId
      }
      if (text !== '') yield text
      const last = page.at(-1)
      if (last === undefined || page.length < SLICE) break
      place = last
    }
    yield room === undefined ? '}}' : '}}}}'
  }

  async *#printedRoom({ user, version }: KeyBackupRow, roomId: string): AsyncGenerator<string> {
    yield '{"sessions":{'
    let isFirst = true
    for (let sessionId = ''; ; ) {
      const page = await backedUpKeysOfRoom(this.#deps.db, { user, version, roomId, sessionId }, SLICE)
      if (page.length > 0) yield `${isFirst ? '' : ','}${page.map(printKey).join(',')}`
      isFirst = false
      const last = page.at(-1)
      if (last === undefined || page.length < SLICE) break
      sessionId = last.sessionId
    }
    yield '}}'
  }
}

type StoredKey = Omit<BackedUpKeyRow, 'user' | 'version'>

const notThere = () => notFound('You have no backup of that version')
const tooMany = () => unknown('Too many devices change the backup at once. Try again.', { status: 503 })

const stateOf = ({ count, etag }: KeyBackupRow): BackupState => ({ count, etag: String(etag) })

/** The key that is kept. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
const isBetter = (key: Omit<KeyQuality, 'sessionId'>, there: KeyQuality): boolean => {
  // If the keys have different values for is_verified, then it will keep the key that has is_verified set to true.
  if (key.isVerified !== there.isVerified) return key.isVerified
  // If they have the same values for is_verified, then it will keep the key with a lower first_message_index.
  if (key.firstMessageIndex !== there.firstMessageIndex) return key.firstMessageIndex < there.firstMessageIndex
  // If is_verified and first_message_index are equal, then it will keep the key with a lower forwarded_count.
  return key.forwardedCount < there.forwardedCount
}

function changeOf(
  { user, version, etag }: KeyBackupRow,
  next: KeyBackupRow,
  { mustBeCurrent }: { readonly mustBeCurrent: boolean },
): Change {
  return new Change()
    .require(backupUnchanged, { user, version, etag, mustBeCurrent })
    .write(backupCounted, { user, version, etag: next.etag, count: next.count })
}

/** `keys` stand together in the order of keys. */
function addRemoval(change: Change, keys: readonly BackedUpKeyRow[]): Change {
  const [first, last] = [keys[0], keys.at(-1)]
  if (first === undefined || last === undefined) return change
  return change.write(backedUpKeysRemoved, {
    user: first.user,
    version: first.version,
    firstRoom: first.roomId,
    firstSession: first.sessionId,
    lastRoom: last.roomId,
    lastSession: last.sessionId,
  })
}

function readKey({ roomId, sessionId, sessionData, ...quality }: PlacedKey): StoredKey {
  if (parseRoomId(roomId) === undefined) throw invalidParam('The keys are sorted by room IDs like !opaque:server')
  if (sessionId === '' || !fitsIdentifier(sessionId)) throw invalidParam('A session ID has 1 to 255 bytes')
  const text = JSON.stringify(sessionData)
  if (Buffer.byteLength(text) > MAX_SESSION_DATA_BYTES) {
    throw tooLarge(`'session_data' may have ${MAX_SESSION_DATA_BYTES} bytes, not more`)
  }
  return { ...quality, roomId, sessionId, sessionData: text }
}

const printKey = (row: BackedUpKeyRow): string =>
  `${JSON.stringify(row.sessionId)}:{"first_message_index":${row.firstMessageIndex},"forwarded_count":${row.forwardedCount},` +
  `"is_verified":${row.isVerified},"session_data":${row.sessionData}}`
