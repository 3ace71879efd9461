import { hash } from 'node:crypto'
import { type Change, LOG_KIND } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { emptyFingerprint, type Fingerprint, type Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { isMissing } from '#storage/state-trie/rows.ts'
import { setMany } from '#storage/state-trie/set.ts'
import { writeState } from '#storage/state-trie/write.ts'
import { eventAdded, eventJsonAdded, relationAdded } from '#storage/stores/events.ts'
import { membershipChanged, membershipRenewed } from '#storage/stores/memberships.ts'
import { receiptMoved } from '#storage/stores/receipts.ts'
import { roomAdded, roomMoved } from '#storage/stores/rooms.ts'
import { currentStateAdded, stateKeyAdded } from '#storage/stores/states.ts'
import { transactionAdded } from '#storage/stores/transactions.ts'
import { packNumbers } from '#util/varint.ts'

/** A number from 0 up to, and without, 1. */
export type Chance = () => number
/** A user of a generated server. */
export type GeneratedUser = { readonly user: number; readonly userId: string; readonly isLocal: boolean }

const WORDS =
  'nerve signal homeserver room message bridge axon myelin sheath latency thread matrix federation state event receipt key device backup encryption'.split(
    ' ',
  )

type Content = Readonly<Record<string, unknown>>
type Sent = {
  readonly type: string
  readonly content: Content
  readonly sender: GeneratedUser
  readonly stateKey?: string
}

/** A room that grows by events as a server would write them; its signatures are made up. */
export class GeneratedRoom {
  readonly members: GeneratedUser[] = []
  readonly #number: number
  readonly #roomId: string
  readonly #deps: { readonly fingerprints: Fingerprints; readonly chance: Chance; readonly serverName: string }
  readonly #keys = new Map<string, number>()
  readonly #rows = new Map<number, Uint8Array>()
  readonly #recent: string[] = []
  #nextEvent = 1
  #nextState = 1
  #root = 0
  #fingerprint: Fingerprint = emptyFingerprint()
  #lastId = ''

  constructor(
    number: number,
    deps: { readonly fingerprints: Fingerprints; readonly chance: Chance; readonly serverName: string },
  ) {
    this.#number = number
    this.#deps = deps
    this.#roomId = `!${hash('sha256', `room ${number}`, 'base64url').slice(0, 18)}:${deps.serverName}`
  }

  /** The room is created by its first member; the others join. */
  begin(change: Change, members: readonly GeneratedUser[], ts: number): void {
    const [creator] = members
    if (creator === undefined) throw new Error('a room needs a member')
    change.write(roomAdded, {
      room: this.#number,
      roomId: this.#roomId,
      version: '11',
      createdTs: ts,
      writeNumber: 0,
      nextEvent: 1,
      nextStateKey: 0,
      nextState: 1,
      currentState: 0,
      extremities: packNumbers([]),
      isPartial: false,
    })
    this.#state(change, { type: 'm.room.create', stateKey: '', sender: creator, content: { room_version: '11' } }, ts)
    for (const member of members) this.#join(change, member, ts)
    const users = { [creator.userId]: 100 }
    this.#state(change, { type: 'm.room.power_levels', stateKey: '', sender: creator, content: { users } }, ts)
    this.#state(change, { type: 'm.room.name', stateKey: '', sender: creator, content: { name: this.#words(3) } }, ts)
  }

  #join(change: Change, member: GeneratedUser, ts: number): void {
    const content = { membership: 'join', displayname: `${this.#words(2)} ${member.user}` }
    const pos = this.#state(change, { type: 'm.room.member', stateKey: member.userId, sender: member, content }, ts)
    change.write(membershipChanged, {
      room: this.#number,
      user: member.user,
      membership: 'join',
      event: roomKey(this.#number, this.#nextEvent - 1),
      pos,
      sincePos: pos,
      isForgotten: false,
    })
    this.members.push(member)
  }

  /** Something happens in the room: mostly a message, sometimes an edit, a reaction, a change of state or a receipt. */
  go(change: Change, ts: number): void {
    const dice = this.#deps.chance()
    const sender = this.members[Math.floor(this.#deps.chance() ** 2 * this.members.length)] as GeneratedUser
    if (dice < 0.04) this.#rename(change, sender, ts)
    else if (dice < 0.2 && this.#recent.length > 0) this.#relate(change, { sender, isEdit: dice < 0.1 }, ts)
    else this.#message(change, sender, ts)
    if (this.#deps.chance() < 0.2) this.#receipt(change, sender, ts)
  }

  #rename(change: Change, sender: GeneratedUser, ts: number): void {
    const content = { membership: 'join', displayname: this.#words(3) }
    const pos = this.#state(change, { type: 'm.room.member', stateKey: sender.userId, sender, content }, ts)
    const event = roomKey(this.#number, this.#nextEvent - 1)
    change.write(membershipRenewed, { room: this.#number, user: sender.user, event, pos })
  }

  #message(change: Change, sender: GeneratedUser, ts: number): void {
    const content = { msgtype: 'm.text', body: this.#words(3 + Math.floor(this.#deps.chance() ** 3 * 120)) }
    this.#event(change, { type: 'm.room.message', content, sender }, ts)
    if (!sender.isLocal) return
    change.write(transactionAdded, {
      user: sender.user,
      deviceId: 'GENERATED0',
      path: `/rooms/${this.#roomId}/send/m.room.message`,
      txnId: `m${ts}.${this.#nextEvent}`,
      answer: JSON.stringify({ event_id: this.#lastId }),
      event: roomKey(this.#number, this.#nextEvent - 1),
      writtenTs: ts,
    })
  }

  #relate(change: Change, { sender, isEdit }: { sender: GeneratedUser; isEdit: boolean }, ts: number): void {
    const target = this.#recent[Math.floor(this.#deps.chance() * this.#recent.length)] as string
    const [relType, type] = isEdit ? ['m.replace', 'm.room.message'] : ['m.annotation', 'm.reaction']
    const relation = { rel_type: relType, event_id: target, ...(isEdit ? {} : { key: '👍' }) }
    const body = this.#words(8)
    const content = {
      'm.relates_to': relation,
      ...(isEdit ? { body: `* ${body}`, msgtype: 'm.text', 'm.new_content': { body, msgtype: 'm.text' } } : {}),
    }
    this.#event(change, { type, content, sender }, ts)
    change.write(relationAdded, {
      room: this.#number,
      target,
      relType,
      event: roomKey(this.#number, this.#nextEvent - 1),
      sender: sender.user,
      type,
      aggregationKey: isEdit ? undefined : '👍',
    })
  }

  #receipt(change: Change, { user }: GeneratedUser, ts: number): void {
    change.write(receiptMoved, {
      room: this.#number,
      user,
      type: 'm.read',
      thread: '',
      eventId: this.#lastId,
      eventPos: this.#nextEvent,
      eventDepth: this.#nextEvent,
      ts,
      pos: change.log({ kind: LOG_KIND.receipt, room: this.#number, user }),
    })
  }

  #state(change: Change, sent: Sent & { readonly stateKey: string }, ts: number): number {
    const before = this.#root
    const key = this.#keyOf(change, sent.type, sent.stateKey)
    const entry = [key, this.#nextEvent] as const
    const rows = { room: this.#number, row: (state: number) => this.#rows.get(state) }
    const state = setMany(rows, before, [entry], () => this.#nextState++)
    if (isMissing(state)) throw new Error('a state of a generated room is missing')
    this.#fingerprint = this.#deps.fingerprints.after(this.#number, this.#fingerprint, state.differences)
    for (const row of state.rows) this.#rows.set(row.state, row.nodes)
    this.#root = state.root
    writeState(change, { room: this.#number, state, fingerprint: this.#fingerprint, isFindable: false })
    const pos = this.#event(change, sent, ts, { before, key })
    change.write(currentStateAdded, { room: this.#number, pos, state: this.#root })
    return pos
  }

  #keyOf(change: Change, type: string, stateKey: string): number {
    const name = JSON.stringify([type, stateKey])
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = this.#keys.size
    this.#keys.set(name, key)
    change.write(stateKeyAdded, { key: roomKey(this.#number, key), room: this.#number, type, stateKey })
    return key
  }

  #event(change: Change, sent: Sent, ts: number, state?: { readonly before: number; readonly key: number }): number {
    const n = this.#nextEvent++
    const event = roomKey(this.#number, n)
    const eventId = `$${hash('sha256', `event ${event}`, 'base64url')}`
    const pos = change.log({ kind: LOG_KIND.event, room: this.#number, item: event })
    change.write(eventAdded, {
      event,
      room: this.#number,
      eventId,
      pos,
      type: sent.type,
      stateKey: state?.key,
      sender: sent.sender.user,
      depth: n,
      originServerTs: ts,
      receivedTs: ts + 3,
      isOutlier: false,
      rejectedBy: undefined,
      isSoftFailed: false,
      isBackfilled: false,
      hasGapBefore: false,
      redactedBy: undefined,
      thread: undefined,
      unreadBits: sent.type === 'm.room.message' ? 1 : 0,
      prevEvents: packNumbers(n === 1 ? [] : [n - 1]),
      authEvents: packNumbers(n === 1 ? [] : [1]),
      stateBefore: state?.before ?? this.#root,
      stateAfter: this.#root,
    })
    change.write(eventJsonAdded, { event, json: this.#json(sent, { n, ts, eventId }) })
    this.#moved(change, n)
    this.#lastId = eventId
    if (sent.type === 'm.room.message' && this.#recent.push(eventId) > 50) this.#recent.shift()
    return pos
  }

  #moved(change: Change, n: number): void {
    change.write(roomMoved, {
      room: this.#number,
      writeNumber: n,
      nextEvent: n + 1,
      nextStateKey: this.#keys.size,
      nextState: this.#nextState,
      currentState: this.#root,
      extremities: packNumbers([n]),
    })
  }

  #json(sent: Sent, { n, ts, eventId }: { readonly n: number; readonly ts: number; readonly eventId: string }): string {
    return JSON.stringify({
      auth_events: [this.#lastId],
      content: sent.content,
      depth: n,
      hashes: { sha256: eventId.slice(1) },
      origin_server_ts: ts,
      prev_events: [this.#lastId],
      room_id: this.#roomId,
      sender: sent.sender.userId,
      signatures: { [this.#deps.serverName]: { 'ed25519:gen': `${eventId.slice(1)}${eventId.slice(1)}` } },
      ...(sent.stateKey === undefined ? {} : { state_key: sent.stateKey }),
      type: sent.type,
    })
  }

  #words(count: number): string {
    let text = ''
    for (let n = 0; n < count; n++)
      text += `${n === 0 ? '' : ' '}${WORDS[Math.floor(this.#deps.chance() * WORDS.length)]}`
    return text
  }
}
