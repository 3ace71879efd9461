import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { numberInRoom, ROOM_SPAN, roomKey } from '#storage/room-key.ts'
import { boolean, bytes, integer, optional, position, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql, textValue } from '#storage/sql.ts'

/** A state of a room; `state` is its key (`room-key.ts`). Nodes and fingerprint: see `state-trie/`. */
export const STATE = row({ state: integer(), fingerprint: bytes(), findable: optional(bytes()), nodes: bytes() })
export type StateRow = (typeof STATE)['out']
/** The room's number of (type, state key); `key` is its key. */
export const STATE_KEY = row({ key: integer(), room: integer(), type: text(), stateKey: text() })
export type StateKeyRow = (typeof STATE_KEY)['out']
/** From this position on the state of that number was the room's current one. */
export const CURRENT_STATE = row({ room: integer(), pos: position(), state: integer() })

const NODES = row({ state: integer(), nodes: bytes() })
const REWRITTEN = row({ state: integer(), nodes: bytes(), isRootKept: boolean() })
const KEY_ONLY = row({ key: integer() })
const NUMBER = row({ state: integer() })
const FINGERPRINT = row({ fingerprint: bytes() })
const FINGERPRINT_KEY = row({ fingerprintKey: bytes() })

/** A row of a state is written. Received and resolved states are `findable`. See `state-trie/write.ts`. */
export const stateAdded = operation('state_added', {
  row: STATE,
  statement: { insert: 'states' },
  scope: ({ state }) => `state:${state}`,
  fold: 'next batch',
})

/** Nothing needs a row of a state any more. */
export const stateRemoved = operation('state_removed', {
  row: NUMBER,
  statement: { remove: 'states', where: 't.state = :state' },
  scope: ({ state }) => `state:${state}`,
  fold: 'next batch',
})

/** A row of a state loses nodes. If its root is among them the state can be found no more. */
export const stateRewritten = operation('state_rewritten', {
  row: REWRITTEN,
  statement: {
    update: 'states',
    set: 'nodes = :nodes, findable = CASE WHEN :is_root_kept THEN t.findable END',
    where: 't.state = :state',
  },
  scope: ({ state }) => `state:${state}`,
  fold: 'next batch',
})

/** A (type, state key) gets its number in the room. */
export const stateKeyAdded = operation('state_key_added', { row: STATE_KEY, statement: { insert: 'state_keys' } })

/** The room's current state is another one from now on. */
export const currentStateAdded = operation('current_state_added', {
  row: CURRENT_STATE,
  statement: { insert: 'current_states' },
})

/** Nobody asks any more what the room's current state was before that position: what was replaced by then goes. */
export const currentStateRemoved = operation('current_state_removed', {
  row: row({ room: integer(), upTo: integer() }),
  statement: {
    remove: 'current_states',
    where:
      't.room = :room AND t.pos < (SELECT max(c.pos) FROM current_states AS c WHERE c.room = :room AND c.pos <= :up_to)',
  },
  scope: ({ room }) => `current_states:${room}`,
  fold: (earlier, later) => (earlier.upTo > later.upTo ? earlier : later),
})

/** The packed nodes of the room's states of these numbers, by number; those that are not there are left out. */
export const stateRows = async (
  db: Reader,
  room: number,
  numbers: Iterable<number>,
): Promise<ReadonlyMap<number, Uint8Array>> => {
  const keys = Array.from(numbers, (n) => roomKey(room, n))
  const found = await db.all(NODES, sql`SELECT ${NODES} FROM states WHERE state ${oneOf(keys)}`)
  return new Map(found.map(({ state, nodes }) => [numberInRoom(state), nodes]))
}

/** The fingerprint of the room's state of that number, or `undefined`. */
export const stateFingerprint = async (db: Reader, room: number, n: number): Promise<Uint8Array | undefined> => {
  const found = await db.get(FINGERPRINT, sql`SELECT ${FINGERPRINT} FROM states WHERE state = ${roomKey(room, n)}`)
  return found?.fingerprint
}

/** The number of a received or resolved state of the room that has this fingerprint, or `undefined`. */
export const findState = async (db: Reader, room: number, fingerprint: Uint8Array): Promise<number | undefined> => {
  const found = await db.get(
    NUMBER,
    sql`SELECT ${NUMBER} FROM states WHERE findable = ${fingerprint}
      AND state >= ${roomKey(room, 0)} AND state < ${roomKey(room, ROOM_SPAN)} ORDER BY state LIMIT 1`,
  )
  return found && numberInRoom(found.state)
}

/** Rows of the room's states below that number, the youngest first; at most `limit`. Numbers are those in the room. */
export const statesBelow = async (
  db: Reader,
  room: number,
  { below, limit }: { readonly below: number; readonly limit: number },
): Promise<{ readonly state: number; readonly nodes: Uint8Array }[]> => {
  const found = await db.all(
    NODES,
    sql`SELECT ${NODES} FROM states WHERE state >= ${roomKey(room, 0)} AND state < ${roomKey(room, below)}
      ORDER BY state DESC LIMIT ${limit}`,
  )
  return found.map(({ state, nodes }) => ({ state: numberInRoom(state), nodes }))
}

/** The room's rows for these state keys of one type; those without a number are left out. */
export const stateKeysByName = (
  db: Reader,
  room: number,
  { type, stateKeys }: { readonly type: string; readonly stateKeys: Iterable<string> },
): Promise<StateKeyRow[]> =>
  db.all(
    STATE_KEY,
    sql`SELECT ${STATE_KEY} FROM state_keys
      WHERE room = ${room} AND type = ${textValue(type)} AND state_key ${oneOfText(stateKeys)}`,
  )

/** The room's rows of these state key numbers. */
export const stateKeysByNumber = (db: Reader, room: number, numbers: Iterable<number>): Promise<StateKeyRow[]> => {
  const keys = Array.from(numbers, (n) => roomKey(room, n))
  return db.all(STATE_KEY, sql`SELECT ${STATE_KEY} FROM state_keys WHERE key ${oneOf(keys)}`)
}

/** Numbers of the room's state keys that are no memberships, of which there are few. */
export const keysOfNoMembers = async (db: Reader, room: number): Promise<number[]> => {
  const found = await db.all(
    KEY_ONLY,
    sql`SELECT ${KEY_ONLY} FROM state_keys WHERE room = ${room} AND type < 'm.room.member'
      UNION ALL SELECT ${KEY_ONLY} FROM state_keys WHERE room = ${room} AND type > 'm.room.member'`,
  )
  return found.map(({ key }) => numberInRoom(key))
}

/** The room's state keys from that number on, by rising numbers; at most `limit`. */
export const stateKeysFrom = (
  db: Reader,
  room: number,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<StateKeyRow[]> =>
  db.all(
    STATE_KEY,
    sql`SELECT ${STATE_KEY} FROM state_keys WHERE key >= ${roomKey(room, from)} AND key < ${roomKey(room, ROOM_SPAN)}
      ORDER BY key LIMIT ${limit}`,
  )

/** The number of the state that was the room's current one at that position, or `undefined` where that is not known (any more). */
export const currentStateAt = async (db: Reader, room: number, pos: number): Promise<number | undefined> => {
  const found = await db.get(
    NUMBER,
    sql`SELECT ${NUMBER} FROM current_states WHERE room = ${room} AND pos <= ${pos} ORDER BY pos DESC LIMIT 1`,
  )
  return found?.state
}

const OF_EVENT = row({ event: integer(), stateBefore: optional(integer()), stateAfter: optional(integer()) })
/** Which states the room's events name, by rising numbers of the events in the room; `limit` after `after`. */
export const statesOfEvents = async (
  db: Reader,
  room: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<
  { readonly n: number; readonly stateBefore: number | undefined; readonly stateAfter: number | undefined }[]
> => {
  const found = await db.all(
    OF_EVENT,
    sql`SELECT ${OF_EVENT} FROM events WHERE event > ${roomKey(room, after)} AND event < ${roomKey(room, ROOM_SPAN)}
      ORDER BY event LIMIT ${limit}`,
  )
  return found.map(({ event, ...states }) => ({ n: numberInRoom(event), ...states }))
}

/** The room's current states since positions after `after`, at most `limit`. */
export const currentStatesAfter = (
  db: Reader,
  room: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<(typeof CURRENT_STATE)['out'][]> =>
  db.all(
    CURRENT_STATE,
    sql`SELECT ${CURRENT_STATE} FROM current_states WHERE room = ${room} AND pos > ${after} ORDER BY pos LIMIT ${limit}`,
  )

/** The deployment's secret for fingerprints, 32 bytes. */
export const fingerprintKey = async (db: Reader): Promise<Uint8Array> => {
  const found = await db.get(FINGERPRINT_KEY, sql`SELECT ${FINGERPRINT_KEY} FROM deployment`)
  if (found === undefined) throw new Error('the database has no deployment')
  return found.fingerprintKey
}

const KEY_COUNT = row({ nextStateKey: integer() })
/** How many state keys a room has given numbers to. */
export const keyCountOf = async (db: Reader, room: number): Promise<number> =>
  (await db.get(KEY_COUNT, sql`SELECT ${KEY_COUNT} FROM rooms WHERE room = ${room}`))?.nextStateKey ?? 0
