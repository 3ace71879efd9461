import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { count, eventType, jsonObject, roomId } from '#api/schema.ts'

/** Where one event of a room's state is. An empty state key may be left out, with its slash or without. */
export const stateEventPaths = withR0(
  '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}',
  '/_matrix/client/v3/rooms/{roomId}/state/{eventType}',
  '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/',
)

/** What the paths of a state event name. How long the state key may be, the event's format judges. */
export const stateEventParams = z.object({ roomId, eventType, stateKey: z.string().default('') })

/** Sends a state event. */
export const setRoomStateWithKey = endpoint({
  id: 'setRoomStateWithKey',
  spec: 'client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey',
  method: 'PUT',
  ...stateEventPaths,
  auth: 'accessToken',
  guest: true,
  suspended: false,
  bodyKind: 'event',
  params: stateEventParams,
  // Of application services: when it was. https://spec.matrix.org/latest/application-service-api/#timestamp-massaging
  query: z.object({ ts: count(Number.MAX_SAFE_INTEGER).optional() }),
  body: jsonObject,
  response: z.object({ event_id: z.string() }),
})
