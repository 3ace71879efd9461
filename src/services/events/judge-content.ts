import { badJson, forbidden, invalidParam } from '#protocol/errors.ts'
import { parseUserId } from '#protocol/identifiers.ts'
import { readPowerLevels } from '#protocol/power-levels.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { compileServerAcl } from '#protocol/server-acl.ts'
import { judgeDisplayName, MAX_AVATAR_URL } from '#services/profiles/fields.ts'
import { get, type JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'

/** An event before it is built. */
type Drafted = { readonly type: string; readonly stateKey: string | undefined; readonly content: JsonObject }
/** The room it is for, as far as this looks at it. */
type Place = { readonly rules: RoomVersionRules; readonly serverName: string }

const MEMBERSHIPS: ReadonlySet<unknown> = new Set(['join', 'invite', 'leave', 'ban', 'knock'])

/**
 * Throws where what a local user wants to say is malformed, so that they hear what is wrong with it and not only that the room's rules forbid
 * it, and where it would break the room. https://spec.matrix.org/v1.19/client-server-api/#room-events
 */
export const judgeContent = ({ type, stateKey, content }: Drafted, place: Place): void => {
  if (stateKey === undefined) return
  if (type === 'm.room.member') judgeMember(stateKey, content)
  if (type === 'm.room.power_levels') judgePowerLevels(content, place.rules)
  if (type === 'm.room.create') throw forbidden('A room is made once')
  if (type === 'm.room.redaction') throw invalidParam('A redaction is no state')
  if (type === 'm.room.server_acl' && stateKey === '' && !compileServerAcl(content)(place.serverName)) {
    throw invalidParam('This would shut the server itself out of the room')
  }
}

function judgeMember(userId: string, content: JsonObject): void {
  if (parseUserId(userId) === undefined) throw invalidParam('The state key of a membership is the ID of a user')
  if (!MEMBERSHIPS.has(get(content, 'membership'))) {
    throw badJson(`'membership' must be one of ${[...MEMBERSHIPS].join(', ')}`)
  }
  const name = get(content, 'displayname') ?? ''
  if (typeof name !== 'string') throw badJson("'displayname' must be a string")
  judgeDisplayName(name)
  const avatar = get(content, 'avatar_url') ?? ''
  if (typeof avatar !== 'string') throw badJson("'avatar_url' must be a string")
  if (avatar.length > MAX_AVATAR_URL) throw invalidParam(`'avatar_url' has at most ${MAX_AVATAR_URL} characters`)
}

/** New power levels are integers in every room version: text is only there for events of old. https://spec.matrix.org/v1.19/server-server-api/#definitions */
function judgePowerLevels(content: JsonObject, rules: RoomVersionRules): void {
  const levels = readPowerLevels(content, { ...rules, powerLevels: 'integers', limitNotificationLevels: true })
  if (isRefusal(levels)) throw badJson(levels.reason)
}
