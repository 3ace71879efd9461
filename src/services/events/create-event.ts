import { authEventKeys } from '#protocol/auth/auth-event-types.ts'
import { authorize } from '#protocol/auth/authorize.ts'
import { badJson, forbidden, tooLarge, unknown } from '#protocol/errors.ts'
import { buildEvent } from '#protocol/events/build.ts'
import { depthAfter } from '#protocol/events/depth.ts'
import { type EventReference, referenceTo } from '#protocol/events/event-id.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { requiredSigners } from '#protocol/events/signatures.ts'
import type { EventId, ServerName, UserId } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { SigningKey } from '#protocol/signing/signing-key.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { JsonObject } from '#util/json.ts'
import { type Random, randomLetters } from '#util/random.ts'
import type { Refusal } from '#util/verdict.ts'

/** What somebody wants to say in a room. */
export type Draft = {
  readonly type: string
  readonly sender: UserId
  readonly stateKey: string | undefined
  readonly content: JsonObject
  readonly redacts: EventId | undefined
}

/** Who signs the events of this server. */
export type Origin = {
  readonly serverName: ServerName
  readonly signingKey: SigningKey
  readonly random: Random
}

/** An event that is allowed, its JSON, and the numbers of the events that allow it. */
export type CreatedEvent = {
  readonly event: RoomEvent
  readonly json: string
  readonly authEvents: readonly number[]
}

/** Builds an event after the room's extremities and judges it by the current state. Throws what the sender is to hear. The caller holds the room's queue. */
export const createEvent = async (
  room: ActiveRoom,
  draft: Draft,
  origin: Origin,
  now: number,
): Promise<CreatedEvent> => {
  const { rules } = room
  const { type, sender, stateKey, content } = draft
  const keys = authEventKeys({ type, sender, stateKey, content }, rules)
  const state = await room.authState(keys)
  const { extremities } = room.head
  const prevEvents = await references(room, extremities)
  const built = buildEvent(
    {
      type,
      sender,
      roomId: room.roomId,
      stateKey,
      content,
      originServerTs: now,
      depth: depthAfter(
        extremities.map(({ depth }) => depth),
        rules,
      ),
      prevEvents,
      authEvents: state.events.map(({ event }) => referenceTo(event, rules)),
      redacts: draft.redacts,
      eventId: opaqueEventId(rules, origin),
    },
    { rules, serverName: origin.serverName, signingKey: origin.signingKey },
  )
  if ('ok' in built) throw refusalOfBuild(built)
  mustBeOfThisServer(built.event, rules, origin)
  const verdict = authorize(built.event, state, rules)
  if (!verdict.ok) throw forbidden(verdict.reason)
  return { ...built, authEvents: state.events.map(({ n }) => n) }
}

/** A fresh event ID for the versions whose IDs are chosen; `undefined` for those whose IDs are hashes. */
export const opaqueEventId = (rules: RoomVersionRules, { random, serverName }: Origin): EventId | undefined =>
  rules.eventId === 'opaque' ? (`$${randomLetters(random, 24)}:${serverName}` as EventId) : undefined

/** What the sender hears of an event that cannot be built. */
export const refusalOfBuild = ({ rule, reason }: Refusal) => {
  if (rule === 'size') return tooLarge(reason)
  return rule === 'canonical_json' ? badJson(reason) : unknown(reason, { status: 400 })
}

/** No other server signs what is made here, so nothing may stand on its signature: who authorises a join is a user of this server. */
function mustBeOfThisServer(event: RoomEvent, rules: RoomVersionRules, { serverName }: Origin): void {
  const other = requiredSigners(event, rules).find((signer) => signer !== serverName)
  if (other !== undefined) throw forbidden(`The event would have to be signed by ${other}`)
}

async function references(
  room: ActiveRoom,
  extremities: ActiveRoom['head']['extremities'],
): Promise<readonly EventReference[]> {
  if (!room.rules.referencesArePairs) return extremities.map(({ eventId }) => eventId)
  const events = await Promise.all(extremities.map(({ n }) => room.event(n)))
  return events.flatMap((event) => (event === undefined ? [] : [referenceTo(event.event, room.rules)]))
}
