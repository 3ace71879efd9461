import type { Requester } from '#api/requester.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { badJson, forbidden, notFound, tooLarge, unknown } from '#protocol/errors.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'
import type { PushRules } from '#services/push/push-rules.ts'
import type { JoinedRooms } from '#services/rooms/joined-rooms.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  type AccountDataKey,
  accountDataOf,
  accountDataSet,
  accountDataUnchanged,
  accountDataUsage,
  NO_ROOM,
} from '#storage/stores/account-data.ts'
import { isObject, type JsonObject } from '#util/json.ts'
import { KeyedMutex } from '#util/keyed-mutex.ts'
import { IGNORED_USER_LIST, type IgnoredUsers } from './ignored-users.ts'
import { mustBeOneself } from './oneself.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly joinedRooms: JoinedRooms
  readonly ignoredUsers: IgnoredUsers
  readonly pushRules: PushRules
}

/** Account data as a client names it. */
export type NamedData = { readonly userId: UserId; readonly roomId: RoomId | undefined; readonly type: string }

/** The type under which the marker of what is read is found. https://spec.matrix.org/v1.19/client-server-api/#fully-read-markers */
export const FULLY_READ = 'm.fully_read'
/** The type under which push rules are found. https://spec.matrix.org/v1.19/client-server-api/#push-rules-events */
export const PUSH_RULES = 'm.push_rules'
/** What the server keeps itself, so that nobody sets it. https://spec.matrix.org/v1.19/client-server-api/#client-config */
const SERVER_MANAGED: ReadonlySet<string> = new Set([FULLY_READ, PUSH_RULES])

/** How much a user may keep about no room, and about each room. */
const LIMITS = {
  global: { count: 1_000, bytes: 16 * 1024 * 1024 },
  room: { count: 200, bytes: 4 * 1024 * 1024 },
} as const
/** How often a change is tried that others come before. */
const ATTEMPTS = 10

/** What users keep on the server for themselves. https://spec.matrix.org/v1.19/client-server-api/#client-config */
export class AccountData {
  readonly #deps: Deps
  readonly #updating = new KeyedMutex<string>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What the user keeps under a type, as JSON. Throws `M_NOT_FOUND` where that is nothing. */
  async get(requester: Requester, { userId, roomId, type }: NamedData): Promise<string> {
    mustBeOneself(requester, userId)
    if (roomId === undefined && type === PUSH_RULES) {
      return JSON.stringify(await this.#deps.pushRules.toJson(requester.user))
    }
    const room = roomId === undefined ? NO_ROOM : (await this.#deps.joinedRooms.find(requester, roomId))?.room
    const row =
      room === undefined ? undefined : await accountDataOf(this.#deps.db, { user: requester.user, room, type })
    if (row === undefined) throw notFound('You keep nothing under this type')
    return row.content
  }

  /** Keeps this under a type from now on. */
  async set(requester: Requester, { userId, roomId, type }: NamedData, content: JsonObject): Promise<void> {
    mustBeOneself(requester, userId)
    if (SERVER_MANAGED.has(type)) throw badJson(`${type} cannot be set in this way`, { status: 405 })
    const key = { user: requester.user, room: await this.roomOf(requester, roomId), type }
    const text = canonicalJson(content)
    await this.#mustFit(key, text)
    const change = new Change()
    this.#write(change, key, text)
    await this.#deps.commit(change)
  }

  /**
   * Makes what the user keeps under a type into something else, losing nothing that others change at the same time. `edit` is given what
   * is there and returns what is to be there, or `undefined` if it is to stay; it may be asked several times.
   */
  update(
    key: AccountDataKey,
    edit: (content: JsonObject | undefined) => JsonObject | undefined | Promise<JsonObject | undefined>,
  ): Promise<void> {
    return this.#updating.run(`${key.user}:${key.room}:${key.type}`, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const row = await accountDataOf(this.#deps.db, key)
        const edited = await edit(row === undefined ? undefined : objectOf(row.content))
        if (edited === undefined) return
        const text = canonicalJson(edited)
        if (!SERVER_MANAGED.has(key.type)) await this.#mustFit(key, text)
        const change = new Change().require(accountDataUnchanged, { ...key, pos: row?.pos ?? 0 })
        this.#write(change, key, text)
        if ((await this.#deps.commit(change)).ok) return
      }
      throw unknown('This is being changed by too many at once. Try again.', { status: 503 })
    })
  }

  /** The number of the room that the data are about. Throws `M_FORBIDDEN` for rooms that the user never had to do with. */
  async roomOf(requester: Requester, roomId: RoomId | undefined): Promise<number> {
    if (roomId === undefined) return NO_ROOM
    const view = await this.#deps.joinedRooms.find(requester, roomId)
    if (view === undefined) throw forbidden('You are not in this room')
    return view.room
  }

  #write(change: Change, key: AccountDataKey, content: string): void {
    const { user, room, type } = key
    const pos = change.log(
      room === NO_ROOM ? { kind: LOG_KIND.accountData, user } : { kind: LOG_KIND.roomAccountData, user, item: room },
    )
    change.write(accountDataSet, { ...key, content, pos })
    if (room === NO_ROOM && type === IGNORED_USER_LIST) {
      change.onCommitted(() => this.#deps.ignoredUsers.forget(user))
    }
  }

  async #mustFit(key: AccountDataKey, content: string): Promise<void> {
    const limit = key.room === NO_ROOM ? LIMITS.global : LIMITS.room
    const others = await accountDataUsage(this.#deps.db, key)
    if (others.count >= limit.count) throw tooLarge(`At most ${limit.count} types of account data are kept here`)
    if (others.bytes + Buffer.byteLength(content) > limit.bytes) {
      throw tooLarge(`At most ${limit.bytes} bytes of account data are kept here`)
    }
  }
}

function objectOf(text: string): JsonObject {
  const content: unknown = JSON.parse(text)
  return isObject(content) ? content : {}
}
