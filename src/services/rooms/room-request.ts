import type { Requester } from '#api/requester.ts'
import { badJson } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { Json, JsonObject } from '#util/json.ts'
import type { Preset } from './room-presets.ts'

/** What a client wants of a new room. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
export type RoomRequest = {
  readonly visibility: 'public' | 'private'
  readonly aliasLocalpart: string | undefined
  readonly name: string | undefined
  readonly topic: string | undefined
  readonly invite: readonly UserId[]
  /** There are some to be invited by their addresses too. */
  readonly invitesByAddress: boolean
  readonly version: string | undefined
  readonly creationContent: JsonObject
  readonly initialState: readonly StateWish[]
  readonly preset: Preset | undefined
  readonly isDirect: boolean
  readonly powerLevelOverride: JsonObject | undefined
}
/** A state event that the client wants from the first day. */
export type StateWish = { readonly type: string; readonly stateKey: string; readonly content: JsonObject }

/** The content of the event that makes the room. https://spec.matrix.org/v1.19/client-server-api/#mroomcreate */
export function createContent(requester: Requester, rules: RoomVersionRules, request: RoomRequest): JsonObject {
  const { creationContent, preset, invite } = request
  const content: Record<string, Json> = { ...creationContent, room_version: rules.version }
  delete content['creator']
  if (!rules.creatorIsSender) content['creator'] = requester.userId
  if (rules.privilegedCreators && preset === 'trusted_private_chat') {
    const wished = content['additional_creators'] ?? []
    if (!Array.isArray(wished)) throw badJson('additional_creators must be a list of user IDs')
    const creators = [...new Set([...wished, ...invite])].filter((userId) => userId !== requester.userId)
    if (creators.length > 0) content['additional_creators'] = creators
  }
  return content
}

/** A topic in plain text and as rich text may be. https://spec.matrix.org/v1.19/client-server-api/#mroomtopic */
export const topicContent = (topic: string): JsonObject => ({ topic, 'm.topic': { 'm.text': [{ body: topic }] } })
