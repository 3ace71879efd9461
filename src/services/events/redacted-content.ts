import * as z from 'zod'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { redact } from '#protocol/events/redact.ts'
import { readJson } from '#protocol/read-json.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomStore } from '#rooms/room-store.ts'
import { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { numberInRoom, roomOf } from '#storage/room-key.ts'
import { eventByNumber, eventPruned } from '#storage/stores/events.ts'
import { roomByNumber } from '#storage/stores/rooms.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { task } from '#tasks/task.ts'
import type { Clock } from '#util/clock.ts'
import { isObject } from '#util/json.ts'

/** Cuts a redacted event to what its redaction leaves. */
export const PruneRedactedEvent = task('prune_redacted_event', {
  payload: z.object({ event: z.number() }),
  run: async ({ db, store }: { readonly db: Reader; readonly store: RoomStore }, { event }) => {
    const stored = await eventByNumber(db, event)
    const room = await roomByNumber(db, roomOf(event))
    const rules = room === undefined ? undefined : roomVersion(room.version)
    if (stored?.redactedBy === undefined || rules === undefined) return undefined
    const read = readJson(stored.json)
    if (!read.ok || !isObject(read.value)) throw new Error(`the JSON of event ${event} cannot be read`)
    const change = new Change().write(eventPruned, { event, json: canonicalJson(redact(read.value, rules)) })
    change.onCommitted(() => store.forgetEvent(roomOf(event), numberInRoom(event)))
    return { change }
  },
})

type Deps = {
  readonly scheduler: Scheduler
  readonly clock: Clock
  /** How long moderators may still want to look at it; `undefined`: for ever. */
  readonly keptMs: number | undefined
}

/** Sees to it that the content of redacted events does not outlast the time for which it is kept. */
export class RedactedContent {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A redaction takes effect on the event in this change. */
  async scheduleRemoval(change: Change, { row }: LoadedEvent): Promise<void> {
    const { scheduler, clock, keptMs } = this.#deps
    if (keptMs === undefined) return
    await scheduler.schedule(change, PruneRedactedEvent, { event: row.event }, { dueTs: clock.now() + keptMs })
  }
}
