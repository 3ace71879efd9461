import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { clientEventWithoutRoomId, count, flag, jsonObject, strippedState, token } from '#api/schema.ts'

/** An event that belongs to no room's history: of account data, typing, receipts. */
const plainEvent = z.looseObject({ content: jsonObject, type: z.string() })
const plainEvents = z.object({ events: z.array(plainEvent).optional() }).optional()

const stateEvents = z.object({ events: z.array(clientEventWithoutRoomId).optional() }).optional()

const timeline = z
  .object({
    events: z.array(clientEventWithoutRoomId),
    limited: z.boolean().optional(),
    prev_batch: z.string().optional(),
  })
  .optional()

const unreadCounts = z.object({ highlight_count: z.int().optional(), notification_count: z.int().optional() })

/** The state of a room: before the timeline, or after it for those who ask so. The second name of that is what clients called it first. */
const state = {
  state: stateEvents,
  state_after: stateEvents,
  'org.matrix.msc4222.state_after': stateEvents,
}

const joinedRoom = z.object({
  ...state,
  account_data: plainEvents,
  ephemeral: plainEvents,
  summary: z
    .object({
      'm.heroes': z.array(z.string()).optional(),
      'm.invited_member_count': z.int().optional(),
      'm.joined_member_count': z.int().optional(),
    })
    .optional(),
  timeline,
  unread_notifications: unreadCounts.optional(),
  /** By the root of the thread. */
  unread_thread_notifications: z.record(z.string(), unreadCounts).optional(),
})

const strippedEvents = z.object({ events: z.array(strippedState).optional() }).optional()

const rooms = z.object({
  join: z.record(z.string(), joinedRoom).optional(),
  invite: z.record(z.string(), z.object({ invite_state: strippedEvents })).optional(),
  knock: z.record(z.string(), z.object({ knock_state: strippedEvents })).optional(),
  leave: z.record(z.string(), z.object({ ...state, account_data: plainEvents, timeline })).optional(),
})

/** What happened since a former sync, or all there is; waits where there is nothing. */
export const sync = endpoint({
  id: 'sync',
  spec: 'client-server-api/#get_matrixclientv3sync',
  method: 'GET',
  ...withR0('/_matrix/client/v3/sync'),
  auth: 'accessToken',
  guest: true,
  query: z.object({
    filter: z.string().optional(),
    since: token.optional(),
    full_state: flag.optional(),
    set_presence: z.enum(['offline', 'online', 'unavailable']).optional(),
    timeout: count(3_600_000).optional(),
    use_state_after: flag.optional(),
    // What clients called `use_state_after` first; it is answered in the same words.
    'org.matrix.msc4222.use_state_after': flag.optional(),
  }),
  response: z.object({
    next_batch: z.string(),
    account_data: plainEvents,
    device_lists: z
      .object({ changed: z.array(z.string()).optional(), left: z.array(z.string()).optional() })
      .optional(),
    device_one_time_keys_count: z.record(z.string(), z.int()).optional(),
    device_unused_fallback_key_types: z.array(z.string()).optional(),
    // As the proposal named it, for clients that know no other name.
    'org.matrix.msc2732.device_unused_fallback_key_types': z.array(z.string()).optional(),
    presence: plainEvents,
    rooms: rooms.optional(),
    to_device: z
      .object({
        events: z.array(z.looseObject({ content: jsonObject, sender: z.string(), type: z.string() })).optional(),
      })
      .optional(),
  }),
})
