import { canonicalJson } from '#protocol/canonical-json.ts'
import { type ClientPieces, clientPieces } from '#protocol/events/client-format.ts'
import { redactsOf } from '#protocol/events/format.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { redact } from '#protocol/events/redact.ts'
import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import { type PowerLevels, readPowerLevels } from '#protocol/power-levels.ts'
import { readJson } from '#protocol/read-json.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { numberInRoom } from '#storage/room-key.ts'
import type { StoredEvent } from '#storage/stores/events.ts'
import { isObject, type JsonObject } from '#util/json.ts'
import type { Refusal } from '#util/verdict.ts'

/** The room an event stands in, as far as reading it needs. */
export type EventHome = { readonly roomId: RoomId; readonly rules: RoomVersionRules }

/** An event in memory: its row, its JSON, and what is read from it when somebody asks. A redacted one shows what the redaction leaves. */
export class LoadedEvent {
  /** Replaced when the event becomes durable: its position is known then. */
  row: StoredEvent
  /** By which transaction which device sent it, where that is known: `null` if none did, `undefined` if nobody looked. */
  transaction: { readonly user: number; readonly deviceId: string; readonly txnId: string } | null | undefined
  /** Members to whom it means something else than to the rest; `undefined` if nobody looked since it was read. */
  unreadMarks: ReadonlyMap<number, { readonly notify: number; readonly highlight: number }> | undefined
  /** Up to which position nothing related to it, as the database said; `undefined` if it was not asked or something did. */
  unrelatedUpTo: number | undefined
  /** What it took the place of as state, as fields of `unsigned`, and the epoch of the room's view in which that was read. */
  replaced: { readonly fields: string; readonly epoch: symbol } | undefined
  readonly #home: EventHome
  #pdu: JsonObject | undefined
  #event: RoomEvent | undefined
  #pieces: ClientPieces | undefined
  #powerLevels: PowerLevels | Refusal | undefined
  #opening: string | undefined

  constructor(row: StoredEvent, home: EventHome, built?: RoomEvent) {
    this.row = row
    this.#home = home
    this.#event = built
    this.#pdu = built?.pdu
  }

  /** n of the event in its room. */
  get n(): number {
    return numberInRoom(this.row.event)
  }

  /** The event as the rules read it. */
  get event(): RoomEvent {
    this.#event ??= this.#readEvent()
    return this.#event
  }

  get content(): JsonObject {
    return this.event.content
  }

  /** The power levels that it sets, where it is an event for that. */
  get powerLevels(): PowerLevels | Refusal {
    this.#powerLevels ??= readPowerLevels(this.content, this.#home.rules)
    return this.#powerLevels
  }

  /** The printed pieces of the client's form. */
  get pieces(): ClientPieces {
    const { eventId, type } = this.row
    this.#pieces ??= clientPieces(this.json, eventId, type === 'm.room.redaction' ? this.event.redacts : undefined)
    return this.#pieces
  }

  /** Its canonical JSON as other servers have it, redacted where it is. */
  get json(): string {
    return this.row.redactedBy === undefined ? this.row.json : canonicalJson(this.#readPdu())
  }

  /** The client's form without `room_id`, up to where `unsigned` begins with the value of `age`. */
  get opening(): string {
    const { head, tail } = this.pieces
    // Joined into one piece: it becomes part of one answer after the other.
    this.#opening ??= ['{', head, ',', tail, ',"unsigned":{"age":'].join('')
    return this.#opening
  }

  /** About how many bytes it takes in memory. */
  get bytes(): number {
    return 600 + this.row.json.length * 4
  }

  #readPdu(): JsonObject {
    if (this.#pdu === undefined) {
      const read = readJson(this.row.json)
      const pdu = read.ok && isObject(read.value) ? read.value : {}
      this.#pdu = this.row.redactedBy === undefined ? pdu : redact(pdu, this.#home.rules)
    }
    return this.#pdu
  }

  #readEvent(): RoomEvent {
    const { row } = this
    const pdu = this.#readPdu()
    const content = pdu['content']
    const stateKey = pdu['state_key']
    return {
      eventId: row.eventId as EventId,
      roomId: this.#home.roomId,
      type: row.type,
      sender: String(pdu['sender']) as UserId,
      stateKey: typeof stateKey === 'string' ? stateKey : undefined,
      content: isObject(content) ? content : {},
      originServerTs: row.originServerTs,
      depth: row.depth,
      prevEvents: referencedIds(pdu['prev_events']),
      authEvents: referencedIds(pdu['auth_events']),
      redacts: redactsOf(pdu, this.#home.rules),
      pdu,
    }
  }
}

/** Event IDs of a list of references, plain or paired with hashes. */
function referencedIds(references: unknown): EventId[] {
  if (!Array.isArray(references)) return []
  return references.map((one: unknown) => String(Array.isArray(one) ? one[0] : one) as EventId)
}
