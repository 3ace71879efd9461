import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { jsonObject, shortText, userId } from '#api/schema.ts'

const ids = z.array(z.string()).optional()

const eventFilter = z.looseObject({
  limit: z.int().optional(),
  not_senders: ids,
  not_types: ids,
  senders: ids,
  types: ids,
})

const roomEventFilter = eventFilter.extend({
  contains_url: z.boolean().optional(),
  include_redundant_members: z.boolean().optional(),
  lazy_load_members: z.boolean().optional(),
  not_rooms: ids,
  rooms: ids,
  unread_thread_notifications: z.boolean().optional(),
})

/** Stores a filter for later. `parseFilter` judges it. */
export const defineFilter = endpoint({
  id: 'defineFilter',
  spec: 'client-server-api/#post_matrixclientv3useruseridfilter',
  method: 'POST',
  ...withR0('/_matrix/client/v3/user/{userId}/filter'),
  auth: 'accessToken',
  params: z.object({ userId }),
  body: jsonObject,
  response: z.object({ filter_id: z.string() }),
})

/** A filter that was stored. */
export const getFilter = endpoint({
  id: 'getFilter',
  spec: 'client-server-api/#get_matrixclientv3useruseridfilterfilterid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/user/{userId}/filter/{filterId}'),
  auth: 'accessToken',
  params: z.object({ userId, filterId: shortText }),
  response: z.looseObject({
    account_data: eventFilter.optional(),
    event_fields: ids,
    event_format: z.enum(['client', 'federation']).optional(),
    presence: eventFilter.optional(),
    room: z
      .looseObject({
        account_data: roomEventFilter.optional(),
        ephemeral: roomEventFilter.optional(),
        include_leave: z.boolean().optional(),
        not_rooms: ids,
        rooms: ids,
        state: roomEventFilter.optional(),
        timeline: roomEventFilter.optional(),
      })
      .optional(),
  }),
})
