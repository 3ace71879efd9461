import { rulesOf } from '#protocol/event-builder.testing.ts'
import type { EventId, RoomId, ServerName, UserId } from '#protocol/identifiers.ts'
import { makeSigningKey, type SigningKey } from '#protocol/signing/signing-key.ts'
import type { JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { buildEvent, type EventTemplate } from './build.ts'
import type { EventReference } from './event-id.ts'
import type { RoomEvent } from './pdu.ts'
import type { Signer } from './signatures.ts'

const HASH = 'Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ'

/** A signing key for tests, always the same for the same version. */
export function testKey(version: string): SigningKey {
  const key = makeSigningKey(Buffer.alloc(32, version), version)
  if (key === undefined) throw new Error(`no key of version ${version}`)
  return key
}

/** The server `name` as it signs events of a room version. */
export const signerOf = (version: string, name = 'x'): Signer => ({
  rules: rulesOf(version),
  serverName: name as ServerName,
  signingKey: testKey(name),
})

/** A room ID of the form of the version. */
export const roomIdOf = (version: string): RoomId =>
  (rulesOf(version).roomIdIsCreateHash ? `!${HASH}` : '!room:x') as RoomId

/** An event ID of the form of the version. */
export const eventIdOf = (version: string, name = 'event'): EventId => {
  const form = rulesOf(version).eventId
  return (form === 'opaque' ? `$${name}:x` : `$${(name + HASH).slice(0, 43)}`) as EventId
}

/** A reference to an event in the form of the version. */
export const reference = (version: string, name = 'event'): EventReference =>
  rulesOf(version).referencesArePairs ? [eventIdOf(version, name), { sha256: HASH }] : eventIdOf(version, name)

/** A message of `@alice:x`, unless told otherwise. */
export const templateOf = (version: string, draft: Partial<EventTemplate> = {}): EventTemplate => ({
  type: 'm.room.message',
  sender: '@alice:x' as UserId,
  roomId: roomIdOf(version),
  stateKey: undefined,
  content: { body: 'Hello', msgtype: 'm.text' },
  originServerTs: 1_700_000_000_000,
  depth: 7,
  prevEvents: [reference(version, 'prev')],
  authEvents: [reference(version, 'auth')],
  redacts: undefined,
  eventId: eventIdOf(version),
  ...draft,
})

/** An event that the server `x` made and signed. */
export function built(version: string, draft: Partial<EventTemplate> = {}): { event: RoomEvent; json: string } {
  const result = buildEvent(templateOf(version, draft), signerOf(version))
  if (isRefusal(result)) throw new Error(result.reason)
  return result
}

/** The first event of a room, by `@alice:x`. */
export const builtCreate = (version: string, content: JsonObject = {}): { event: RoomEvent; json: string } =>
  built(version, {
    type: 'm.room.create',
    stateKey: '',
    roomId: rulesOf(version).roomIdIsCreateHash ? undefined : roomIdOf(version),
    content: { room_version: version, creator: '@alice:x', ...content },
    prevEvents: [],
    authEvents: [],
  })
