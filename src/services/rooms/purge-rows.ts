import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { ROOM_SPAN, roomKey } from '#storage/room-key.ts'
import {
  currentStateStep,
  currentStatesPurged,
  eventJsonPurged,
  eventStep,
  eventsPurged,
  logStep,
  missingEventStep,
  missingEventsPurged,
  receiptStep,
  receiptsPurged,
  redactionStep,
  redactionsPurged,
  relationsPurged,
  roomLogPurged,
  stateKeyStep,
  stateKeysPurged,
  stateStep,
  statesPurged,
  transactionsPurged,
} from '#storage/stores/purge.ts'

type Deps = { readonly db: Reader; readonly commit: Commit }

/** How many rows of a kind go in one step. */
const STEP = 500

/** What is removed next, or `undefined` when there is nothing of that kind left. */
type NextStep = (db: Reader, room: number) => Promise<Change | undefined>

/** Removes the rows of a room that nobody finds any more, a bounded number in each commit. Can be done again from the beginning. */
export const purgeRows = async (room: number, { db, commit }: Deps, signal: AbortSignal): Promise<void> => {
  for (const next of [events, stateKeys, states, currentStates, receipts, redactions, missingEvents, ...logs]) {
    for (;;) {
      signal.throwIfAborted()
      const change = await next(db, room)
      if (change === undefined) break
      await commit(change)
    }
  }
  // What belonged to events that are not there themselves.
  const whole = { first: roomKey(room, 0), last: roomKey(room, ROOM_SPAN - 1) }
  await commit(withEvents(new Change(), whole))
}

type Range = { readonly first: number; readonly last: number }

const withEvents = (change: Change, range: Range): Change =>
  change.write(eventJsonPurged, range).write(relationsPurged, range).write(transactionsPurged, range)

const events: NextStep = async (db, room) => {
  const last = await eventStep(db, { room, limit: STEP })
  if (last === undefined) return undefined
  const range = { first: roomKey(room, 0), last }
  return withEvents(new Change().write(eventsPurged, range), range)
}

const stateKeys: NextStep = async (db, room) => {
  const last = await stateKeyStep(db, { room, limit: STEP })
  return last === undefined ? undefined : new Change().write(stateKeysPurged, { first: roomKey(room, 0), last })
}

const states: NextStep = async (db, room) => {
  const last = await stateStep(db, { room, limit: STEP })
  return last === undefined ? undefined : new Change().write(statesPurged, { first: roomKey(room, 0), last })
}

const currentStates: NextStep = async (db, room) => {
  const upTo = await currentStateStep(db, { room, limit: STEP })
  return upTo === undefined ? undefined : new Change().write(currentStatesPurged, { room, upTo })
}

const receipts: NextStep = async (db, room) => {
  const upTo = await receiptStep(db, { room, limit: STEP })
  return upTo === undefined ? undefined : new Change().write(receiptsPurged, { room, upTo })
}

const redactions: NextStep = async (db, room) => {
  const upTo = await redactionStep(db, { room, limit: STEP })
  return upTo === undefined ? undefined : new Change().write(redactionsPurged, { room, upTo })
}

const missingEvents: NextStep = async (db, room) => {
  const upTo = await missingEventStep(db, { room, limit: STEP })
  return upTo === undefined ? undefined : new Change().write(missingEventsPurged, { room, upTo })
}

const logs: readonly NextStep[] = Object.values(LOG_KIND).map((kind) => async (db, room) => {
  const upTo = await logStep(db, kind, { room, limit: STEP })
  return upTo === undefined ? undefined : new Change().write(roomLogPurged, { room, kind, upTo })
})
