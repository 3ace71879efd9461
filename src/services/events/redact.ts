import { powerLevelsOf } from '#protocol/auth/auth-state.ts'
import { forbidden } from '#protocol/errors.ts'
import { powerOf } from '#protocol/power-levels.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Change } from '#storage/change.ts'
import { eventRedacted } from '#storage/stores/events.ts'
import { isRefusal } from '#util/verdict.ts'
import type { RedactedContent } from './redacted-content.ts'

/** Lets a redaction take effect on an event of the room; throws where its sender, a local user, may not. https://spec.matrix.org/v1.19/client-server-api/#redactions */
export const redactEvent = async (
  room: ActiveRoom,
  change: Change,
  { redaction, target }: { readonly redaction: LoadedEvent; readonly target: LoadedEvent },
  { views, redactedContent }: { readonly views: RoomViews; readonly redactedContent: RedactedContent },
): Promise<void> => {
  const { sender } = redaction.event
  if (sender !== target.event.sender && !(await mayRedactOthers(room, sender))) {
    throw forbidden('You may not redact the events of others in this room')
  }
  if (target.row.redactedBy !== undefined) return
  change.write(eventRedacted, { event: target.row.event, redactedBy: redaction.row.event })
  await redactedContent.scheduleRemoval(change, target)
  change.onCommitted(() => {
    room.store.forgetEvent(room.room, target.n)
    views.redacted(room.room)
  })
}

async function mayRedactOthers(room: ActiveRoom, userId: string): Promise<boolean> {
  const state = await room.authState([['m.room.power_levels', '']])
  const levels = powerLevelsOf(state, room.rules)
  if (isRefusal(levels)) return false
  return powerOf(userId, { create: state.create, powerLevels: levels }, room.rules) >= levels.redact
}
