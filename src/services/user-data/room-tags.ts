import type { Requester } from '#api/requester.ts'
import type { RoomId, UserId } from '#protocol/identifiers.ts'
import type { Reader } from '#storage/database.ts'
import { accountDataOf } from '#storage/stores/account-data.ts'
import { get, isObject, type Json, type JsonObject } from '#util/json.ts'
import type { AccountData } from './account-data.ts'
import { mustBeOneself } from './oneself.ts'

/** The type of account data that holds a room's tags. https://spec.matrix.org/v1.19/client-server-api/#mtag */
const TAG = 'm.tag'

type Deps = { readonly db: Reader; readonly accountData: AccountData }

/** A room of a user. */
export type TaggedRoom = { readonly userId: UserId; readonly roomId: RoomId }

/** What a client says of a tag: its `order` among the rooms that have it, and what else it likes. */
export type TagInfo = { readonly [key: string]: Json | undefined }

/** The tags by which users sort their rooms. https://spec.matrix.org/v1.19/client-server-api/#room-tagging */
export class RoomTags {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** All tags of a room. */
  async list(requester: Requester, { userId, roomId }: TaggedRoom): Promise<JsonObject> {
    mustBeOneself(requester, userId)
    const { db, accountData } = this.#deps
    const room = await accountData.roomOf(requester, roomId)
    const row = await accountDataOf(db, { user: requester.user, room, type: TAG })
    return row === undefined ? {} : Object.fromEntries(tagsOf(JSON.parse(row.content)))
  }

  /** Gives a room a tag, or the tag another order. */
  set(requester: Requester, room: TaggedRoom, tag: string, about: TagInfo): Promise<void> {
    const told = Object.entries(about).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
    const set: Tag = [tag, Object.fromEntries(told)]
    return this.#change(requester, room, (tags) => [...tags.filter(([name]) => name !== tag), set])
  }

  /** Takes a tag from a room, if it has it. */
  remove(requester: Requester, room: TaggedRoom, tag: string): Promise<void> {
    return this.#change(requester, room, (tags) => {
      const others = tags.filter(([name]) => name !== tag)
      return others.length === tags.length ? undefined : others
    })
  }

  async #change(
    requester: Requester,
    { userId, roomId }: TaggedRoom,
    edit: (tags: readonly Tag[]) => readonly Tag[] | undefined,
  ): Promise<void> {
    mustBeOneself(requester, userId)
    const room = await this.#deps.accountData.roomOf(requester, roomId)
    await this.#deps.accountData.update({ user: requester.user, room, type: TAG }, (content) => {
      const edited = edit(tagsOf(content))
      return edited === undefined ? undefined : { ...content, tags: Object.fromEntries(edited) }
    })
  }
}

type Tag = readonly [string, JsonObject]

/** Clients may set the whole event themselves, so that it may hold anything. */
function tagsOf(content: Json | undefined): Tag[] {
  const tags = get(content, 'tags')
  if (!isObject(tags)) return []
  return Object.entries(tags).flatMap(([name, about]): Tag[] => (isObject(about) ? [[name, about]] : []))
}
