import { hash } from 'node:crypto'
import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { type Manner, mannerOf } from '#modules/verdicts.ts'
import {
  badJson,
  duplicateAnnotation,
  forbidden,
  invalidParam,
  notFound,
  unknown,
  userSuspended,
} from '#protocol/errors.ts'
import { type EventId, parseEventId, parseUserId, type RoomId } from '#protocol/identifiers.ts'
import { readRelation } from '#protocol/relations.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Limiter } from '#services/limiter.ts'
import type { Memberships } from '#services/rooms/memberships.ts'
import { guestsMayHaveToGo } from '#services/rooms/remove-guests.ts'
import type { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { eventOfRoom } from '#storage/stores/events.ts'
import { hasAnnotated } from '#storage/stores/relations.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { get, getString, type JsonObject } from '#util/json.ts'
import { type Random, randomLetters } from '#util/random.ts'
import { judgeAliases } from './judge-aliases.ts'
import { judgeRedaction, redactEvent } from './redact.ts'
import type { RedactedContent } from './redacted-content.ts'
import { isSameContent } from './same-content.ts'
import type { EventSender, Send } from './send-event.ts'

type Deps = {
  readonly db: Reader
  readonly rooms: RoomRegistry
  readonly views: RoomViews
  readonly redactedContent: RedactedContent
  readonly sender: EventSender
  readonly roomMemberships: Memberships
  readonly hooks: Hooks
  readonly scheduler: Scheduler
  readonly random: Random
  readonly serverName: string
  readonly messageLimiter: Limiter
  /** Counts redactions of what others sent; `undefined`: they count as messages. */
  readonly redactionLimiter: Limiter | undefined
}

/** An event as a client asks for it. `txn`: its transaction ID and the path that it counts for. */
export type Message = {
  readonly roomId: RoomId
  readonly type: string
  readonly content: JsonObject
  readonly txn: { readonly path: string; readonly txnId: string } | undefined
}

/** Sent, or kept for nobody to see. */
type SendManner = 'send' | Extract<Manner, 'soft_fail'>

/** Sends what clients want to say in rooms. https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room */
export class RoomSender {
  readonly #deps: Deps
  /** Keeps others from telling which event IDs are pretended. */
  readonly #salt: string

  constructor(deps: Deps) {
    this.#deps = deps
    this.#salt = randomLetters(deps.random, 32)
  }

  /** Sends a message event. A redaction may come this way too. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
  async sendMessage(requester: Requester, message: Message): Promise<EventId> {
    if (message.type === 'm.room.redaction') {
      const target = parseEventId(get(message.content, 'redacts'))
      if (target === undefined) throw badJson("a redaction's content names an event under 'redacts'")
      return this.redact(requester, { ...message, target })
    }
    await this.#take(requester)
    const manner = await this.#judge(requester, message, undefined)
    if (manner === 'shadow') return this.#pretended(requester, message)
    return this.#send(requester, message, { stateKey: undefined, manner })
  }

  /** Sets state; what is so already is left as it is. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
  async sendState(requester: Requester, message: Message & { readonly stateKey: string }): Promise<EventId> {
    const { roomId, type, content, stateKey } = message
    await this.#take(requester)
    const manner = await this.#judge(requester, message, stateKey)
    if (manner === 'shadow') return this.#pretended(requester, message)
    if (type === 'm.room.member') {
      if (manner === 'soft_fail') throw forbidden('This is not allowed here')
      return this.#sendMembership(requester, message)
    }
    const room = await this.#roomOf(roomId)
    await this.#mustBeIn(room, requester)
    if (type === 'm.room.canonical_alias') await judgeAliases(room, content, this.#deps.db)
    const current = await room.stateEvent(type, stateKey)
    if (current !== undefined && current.event.sender === requester.userId && isSameContent(current.content, content)) {
      return current.row.eventId as EventId
    }
    return this.#send(requester, message, { stateKey, manner })
  }

  /** Redacts an event, one's own or, with the power for it, another's. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid */
  async redact(requester: Requester, message: Message & { readonly target: EventId }): Promise<EventId> {
    const { roomId, target, txn } = message
    const { isSuspended } = requester
    const { serverName, scheduler } = this.#deps
    const content = { ...message.content, redacts: target }
    await this.#takeRedaction(requester, roomId, target)
    const manner = await this.#judge(requester, { ...message, content }, undefined)
    if (manner === 'shadow') return this.#pretended(requester, message)
    const scope = txn === undefined ? undefined : transactionOf(requester, txn)
    return this.#deps.sender.once(scope, () =>
      this.#deps.sender.change(roomId, async (room, change) => {
        await this.#mustBeIn(room, requester)
        const stored = await eventOfRoom(this.#deps.db, room.room, target)
        if (stored === undefined) throw notFound('There is no such event in this room')
        const loaded = room.store.loaded(stored, room)
        if (isSuspended && loaded.event.sender !== requester.userId)
          throw userSuspended('While your account is suspended you may redact your own events only')
        await judgeRedaction(room, requester, { target: loaded, serverName })
        const redaction = await this.#append(room, change, manner, {
          type: 'm.room.redaction',
          sender: requester.userId,
          senderNumber: requester.user,
          stateKey: undefined,
          content: withoutKey(message.content, 'redacts'),
          redacts: target,
        })
        if (manner === 'send') {
          await redactEvent(room, change, { redaction, target: loaded }, this.#deps)
          await guestsMayHaveToGo(change, room, { ...loaded.event, scheduler })
        }
        if (scope !== undefined) this.#deps.sender.transactions.write(change, scope, redaction)
        return redaction.row.eventId as EventId
      }),
    )
  }

  async #send(
    requester: Requester,
    { roomId, type, content, txn }: Message,
    { stateKey, manner }: { readonly stateKey: string | undefined; readonly manner: SendManner },
  ): Promise<EventId> {
    const { sender, scheduler } = this.#deps
    const scope = txn === undefined ? undefined : transactionOf(requester, txn)
    const { userId, user } = requester
    const send = { type, sender: userId, senderNumber: user, stateKey, content, redacts: undefined }
    return sender.once(scope, async () => {
      if (stateKey === undefined) await this.#judgeRelation(requester, { roomId, type, content })
      return sender.change(roomId, async (room, change) => {
        await this.#mustBeIn(room, requester)
        const event = await this.#append(room, change, manner, send)
        if (manner === 'send') await guestsMayHaveToGo(change, room, { type, stateKey, scheduler })
        if (scope !== undefined) sender.transactions.write(change, scope, event)
        return event.row.eventId as EventId
      })
    })
  }

  #append(room: ActiveRoom, change: Change, manner: SendManner, send: Send): Promise<LoadedEvent> {
    const { sender } = this.#deps
    return manner === 'send' ? sender.append(room, change, send) : sender.appendAside(room, change, send)
  }

  /** A membership by the state endpoint follows the rules of the endpoint for it, with a content of the client's own. */
  async #sendMembership(
    requester: Requester,
    { roomId, content, stateKey }: Message & { readonly stateKey: string },
  ): Promise<EventId> {
    const membership = getString(content, 'membership')
    if (membership === undefined) throw badJson("'membership' is missing: expected a string")
    const target = parseUserId(stateKey)
    if (target === undefined) throw invalidParam('The state key of a membership is a user ID')
    const wish = { roomId, target, content, membership }
    return (await this.#deps.roomMemberships.set(requester, wish)) ?? this.#pretended(requester, { txn: undefined })
  }

  async #take(requester: Requester, limiter = this.#deps.messageLimiter): Promise<void> {
    if (!requester.isExemptFromRateLimits) await limiter.take(String(requester.user))
  }

  async #takeRedaction(requester: Requester, roomId: RoomId, target: EventId): Promise<void> {
    const { redactionLimiter, rooms, db } = this.#deps
    if (redactionLimiter === undefined) return this.#take(requester)
    const room = await rooms.byId(roomId)
    const stored = room === undefined ? undefined : await eventOfRoom(db, room.room, target)
    const sender = stored === undefined ? undefined : room?.store.loaded(stored, room).event.sender
    return this.#take(requester, sender === undefined || sender === requester.userId ? undefined : redactionLimiter)
  }

  /** Throws where it may not be sent, or says how it is to be. */
  async #judge(
    requester: Requester,
    { roomId, type, content }: Message,
    stateKey: string | undefined,
  ): Promise<SendManner | 'shadow'> {
    const verdict = await this.#deps.hooks.ask('checkEventForSpam', requester, { roomId, type, stateKey, content })
    if (verdict.ok) return requester.isShadowBanned ? 'shadow' : 'send'
    const manner = mannerOf(verdict)
    if (manner === 'reject') throw forbidden(verdict.reason)
    return requester.isShadowBanned ? 'shadow' : manner
  }

  /** What looks like the ID of an event that was sent; the same for the same transaction. */
  #pretended(requester: Requester, { txn }: Pick<Message, 'txn'>): EventId {
    if (txn === undefined) return `$${randomLetters(this.#deps.random, 43)}` as EventId
    const { user, deviceId, path, txnId } = transactionOf(requester, txn)
    return `$${hash('sha256', [this.#salt, user, deviceId, path, txnId].join('\0'), 'base64url')}` as EventId
  }

  async #roomOf(roomId: RoomId): Promise<ActiveRoom> {
    const room = await this.#deps.rooms.byId(roomId)
    if (room === undefined) throw forbidden('You are not in this room')
    return room
  }

  /** Whoever is not in the room learns nothing more than that. */
  async #mustBeIn(room: ActiveRoom, requester: Requester): Promise<void> {
    const member = await room.stateEvent('m.room.member', requester.userId)
    if (getString(member?.content, 'membership') !== 'join') throw forbidden('You are not in this room')
  }

  async #judgeRelation(requester: Requester, { roomId, type, content }: Omit<Message, 'txn'>): Promise<void> {
    const relation = readRelation(content)
    if (relation?.relType !== 'm.annotation' && relation?.relType !== 'm.thread') return
    const room = await this.#roomOf(roomId)
    await this.#mustBeIn(room, requester)
    if (relation.relType === 'm.annotation' && relation.key !== undefined) {
      const annotation = { room: room.room, target: relation.eventId, sender: requester.user, type, key: relation.key }
      if (await hasAnnotated(this.#deps.db, annotation)) {
        throw duplicateAnnotation('You have annotated this event with this key already')
      }
    }
    if (relation.relType === 'm.thread') {
      const root = await eventOfRoom(this.#deps.db, room.room, relation.eventId)
      if (root !== undefined && readRelation(room.store.loaded(root, room).content) !== undefined) {
        throw unknown('Cannot start threads from an event with a relation', { status: 400 })
      }
    }
  }
}

const transactionOf = (requester: Requester, txn: { readonly path: string; readonly txnId: string }) => ({
  user: requester.user,
  deviceId: requester.deviceId ?? '',
  ...txn,
})

const withoutKey = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
