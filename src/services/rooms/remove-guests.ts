import * as z from 'zod'
import type { UserId } from '#protocol/identifiers.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { EventSender } from '#services/events/send-event.ts'
import type { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { guestsOfRoom } from '#storage/stores/memberships.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { task } from '#tasks/task.ts'
import { getString } from '#util/json.ts'

type Deps = { readonly db: Reader; readonly rooms: RoomRegistry; readonly sender: EventSender }

/** How many guests leave at once. */
const STEP = 50

/** Makes the guests of a room leave, unless it lets guests in again. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
export const RemoveGuests = task('remove_guests', {
  payload: z.object({ room: z.number() }),
  exclusion: ({ room }) => `guests:${room}`,
  run: async ({ db, rooms, sender }: Deps, { room }, signal) => {
    const { roomId } = await rooms.byNumber(room)
    for (let after = 0; ; ) {
      signal.throwIfAborted()
      const guests = await guestsOfRoom(db, { room, after, limit: STEP })
      await sender.change(roomId, async (active, change) => {
        if (await letsGuestsIn(active)) return
        for (const { user, userId } of guests) await removeGuest(active, change, { user, userId, sender })
      })
      const last = guests.at(-1)
      if (last === undefined || guests.length < STEP) return undefined
      after = last.user
    }
  },
})

/** Whether guests may join the room. */
export const letsGuestsIn = async (room: ActiveRoom): Promise<boolean> =>
  getString((await room.stateEvent('m.room.guest_access', ''))?.content, 'guest_access') === 'can_join'

/** A change of a room's state after which guests may have to go. */
export const guestsMayHaveToGo = async (
  change: Change,
  room: ActiveRoom,
  {
    type,
    stateKey,
    scheduler,
  }: { readonly type: string; readonly stateKey: string | undefined; readonly scheduler: Scheduler },
): Promise<void> => {
  if (type === 'm.room.guest_access' && stateKey === '')
    await scheduler.schedule(change, RemoveGuests, { room: room.room })
}

async function removeGuest(
  room: ActiveRoom,
  change: Change,
  { user, userId, sender }: { readonly user: number; readonly userId: string; readonly sender: EventSender },
): Promise<void> {
  const membership = getString((await room.stateEvent('m.room.member', userId))?.content, 'membership')
  if (membership !== 'join' && membership !== 'invite') return
  await sender.append(room, change, {
    type: 'm.room.member',
    stateKey: userId,
    sender: userId as UserId,
    senderNumber: user,
    content: { membership: 'leave' },
    redacts: undefined,
  })
}
