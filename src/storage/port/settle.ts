import { type Damage, damagesOf, roomDamage } from '#storage/counters/damage.ts'
import { CEILING_STEP, SPAN } from '#storage/counters/declared.ts'
import { type Asking, counterFacts, type Dialect, type RoomFacts } from '#storage/counters/facts.ts'
import { PORT_MARK } from '#storage/database.ts'
import { unpackNumbers } from '#util/varint.ts'

/** What became of counters that do not agree with the tables: `mended` in sentences, and what is `left`, with its SQL. */
export type Settled = { readonly mended: readonly string[]; readonly left: readonly Damage[] }

/**
 * Ends a port, in the transaction that wrote the books as they stand in the source: mends the counters where that is safe, and says that the
 * deployment was closed in order, by a port. Where something is left the transaction is to be taken back: no server would start.
 */
export function* settleBooks(
  dialect: Dialect,
  { isExact, randomHex }: { readonly isExact: boolean; readonly randomHex: string },
): Asking<Settled> {
  const settled = yield* settleCounters(dialect)
  if (settled.left.length > 0) return settled
  // Of a source that was not closed the last position may have been given already.
  if (!isExact) yield `UPDATE deployment SET last_position = ceiling, ceiling = ceiling + ${CEILING_STEP}`
  yield `UPDATE deployment SET mark = '${PORT_MARK}${randomHex}', started_at = '', closed_cleanly = true`
  return settled
}

/** Mends until nothing is wrong, or only what is not safely mended. Few rooms are told at a time, so it looks again. */
function* settleCounters(dialect: Dialect): Asking<Settled> {
  const mended: string[] = []
  for (;;) {
    const facts = yield* counterFacts(dialect, { kind: 'every row' })
    const damages = [...damagesOf({ ...facts, rooms: [] }, dialect)]
    for (const room of facts.rooms) damages.push(...(yield* judgeRoom(room)))
    const left = damages.filter(({ safe }) => safe === undefined)
    if (left.length > 0) return { mended: [], left }
    if (damages.length === 0) return { mended, left }
    for (const { sentence, sql, safe } of damages) {
      for (const statement of sql) yield statement
      mended.push(`${sentence} ${safe?.done}`)
    }
  }
}

/**
 * A start cannot know whether a room is known elsewhere, or whether more than a counter is old. Here nobody has the room open, and where its row
 * has everything else as its newest event left it, the counter alone is behind: to go on above all numbers that are there does no harm.
 */
function* judgeRoom(room: RoomFacts): Asking<readonly Damage[]> {
  const damages = roomDamage(room)
  const isOnlyBehind =
    damages.every(({ counter }) => counter !== 'rooms.current_state') &&
    room.counters.every(({ next, last }) => next >= 0 && next <= SPAN && last < SPAN)
  if (!(isOnlyBehind && (yield* isUpToDate(room.room)))) return damages
  return damages.map((damage) => ({
    ...damage,
    safe: { done: 'It goes on above that, with a number that no row has.' },
  }))
}

/** Whether the newest event is an end of the room, as it is in the row of every room that was not tampered with. */
function* isUpToDate(room: number): Asking<boolean> {
  const newest = (table: string, more: string) =>
    `(SELECT t.event - ${room * SPAN} FROM ${table} AS t WHERE t.event >= ${room * SPAN} AND t.event < ${(room + 1) * SPAN}${more}
      ORDER BY t.event DESC LIMIT 1)`
  const [found] = yield `SELECT extremities, ${newest('events', '')} AS event, ${newest('event_json', '')} AS json,
    ${newest('events', ' AND t.pos IS NOT NULL AND t.rejected_by IS NULL AND NOT (t.is_soft_failed OR t.is_outlier OR t.is_backfilled)')} AS newest
    FROM rooms WHERE room = ${room}`
  const { extremities, event, json, newest: end } = found ?? {}
  if (!(extremities instanceof Uint8Array) || end === null || Number(json) > Number(event)) return false
  return unpackNumbers(extremities).includes(Number(end))
}
