import { badAlias, badJson, invalidParam } from '#protocol/errors.ts'
import { parseRoomAlias } from '#protocol/identifiers.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { Reader } from '#storage/database.ts'
import { aliasOf } from '#storage/stores/aliases.ts'
import { get, type JsonObject } from '#util/json.ts'

/** At most so many aliases come into a room's list at once. */
const MAX_NEW = 100

/** Throws where a room would be said to have aliases that do not lead to it. https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias */
export const judgeAliases = async (room: ActiveRoom, content: JsonObject, db: Reader): Promise<void> => {
  const alternatives = get(content, 'alt_aliases') ?? []
  if (!Array.isArray(alternatives)) throw badJson("'alt_aliases' must be a list of aliases")
  const alias = get(content, 'alias') ?? ''
  const current = (await room.stateEvent('m.room.canonical_alias', ''))?.content
  // What stands there already may stay, even if it leads nowhere any more.
  const known = new Set([get(current, 'alias'), ...[get(current, 'alt_aliases') ?? []].flat()])
  const added = new Set([...(alias === '' ? [] : [alias]), ...alternatives].filter((one) => !known.has(one)))
  if (added.size > MAX_NEW) throw invalidParam(`At most ${MAX_NEW} aliases can be added at once`)
  for (const one of added) {
    const parsed = parseRoomAlias(one)
    if (parsed === undefined) throw invalidParam('An alias looks like #name:server')
    const found = await aliasOf(db, parsed)
    if (found?.room !== room.room) throw badAlias(`The alias ${parsed} does not point to this room`)
  }
}
