import type { Requester } from '#api/requester.ts'
import { powerLevelsOf } from '#protocol/auth/auth-state.ts'
import { forbidden } from '#protocol/errors.ts'
import { serverNameOf } from '#protocol/identifiers.ts'
import { powerOf } from '#protocol/power-levels.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Change } from '#storage/change.ts'
import { eventRedacted } from '#storage/stores/events.ts'
import { isRefusal } from '#util/verdict.ts'
import type { RedactedContent } from './redacted-content.ts'

/** What a room cannot lose: its beginning, and what keeps servers out, for without it none would be let in. */
const LASTING: ReadonlySet<string> = new Set(['m.room.create', 'm.room.server_acl'])

/**
 * Throws where a user may not redact the event: their own they may, with the room's level those of others, and administrators those of all
 * users here. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
export const judgeRedaction = async (
  room: ActiveRoom,
  requester: Requester,
  { target, serverName }: { readonly target: LoadedEvent; readonly serverName: string },
): Promise<void> => {
  const { type, stateKey, sender } = target.event
  if (stateKey !== undefined && LASTING.has(type)) throw forbidden(`${type} cannot be redacted`)
  if (sender === requester.userId) return
  if (requester.isAdmin && serverNameOf(sender) === serverName) return
  if (!(await mayRedactOthers(room, requester.userId))) {
    throw forbidden('You may not redact the events of others in this room')
  }
}

/** Lets a redaction take effect on an event of the room. https://spec.matrix.org/v1.19/client-server-api/#redactions */
export const redactEvent = async (
  room: ActiveRoom,
  change: Change,
  { redaction, target }: { readonly redaction: LoadedEvent; readonly target: LoadedEvent },
  { views, redactedContent }: { readonly views: RoomViews; readonly redactedContent: RedactedContent },
): Promise<void> => {
  if (target.row.redactedBy !== undefined) return
  change.write(eventRedacted, { event: target.row.event, redactedBy: redaction.row.event })
  await redactedContent.scheduleRemoval(change, target)
  change.onCommitted(() => {
    room.store.redacted(room.room, target.n, redaction.row.event)
    views.redacted(room.room)
  })
}

async function mayRedactOthers(room: ActiveRoom, userId: string): Promise<boolean> {
  const state = await room.authState([['m.room.power_levels', '']])
  const levels = powerLevelsOf(state, room.rules)
  if (isRefusal(levels)) return false
  return powerOf(userId, { create: state.create, powerLevels: levels }, room.rules) >= levels.redact
}
