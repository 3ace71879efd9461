import * as z from 'zod'
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '#protocol/identifiers.ts'
import {
  fitsIdentifier,
  parseEventId,
  parseRoomAlias,
  parseRoomId,
  parseServerName,
  parseUserId,
} from '#protocol/identifiers.ts'
import { isPlainObject } from '#protocol/raw-number.ts'
import type { JsonObject } from '#util/json.ts'

// The vocabulary of the endpoint declarations: identifiers, integers in query strings, events.

const parsed = <T extends string>(parse: (text: string) => T | undefined, expected: string): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.issues.push({ code: 'custom', message: `expected ${expected}`, input: text })
    return z.NEVER
  }) as unknown as z.ZodType<T, string>

/** A user ID: `@localpart:server`. */
export const userId: z.ZodType<UserId, string> = parsed(parseUserId, 'a user ID like @name:server')
/** A room ID: `!opaque` with or without a server. */
export const roomId: z.ZodType<RoomId, string> = parsed(parseRoomId, 'a room ID like !opaque:server')
/** An event ID: `$opaque`. */
export const eventId: z.ZodType<EventId, string> = parsed(parseEventId, 'an event ID like $opaque')
/** A room alias: `#alias:server`. */
export const roomAlias: z.ZodType<RoomAlias, string> = parsed(parseRoomAlias, 'a room alias like #alias:server')
/** A server name: host, or host:port. */
export const serverName: z.ZodType<ServerName, string> = parsed(parseServerName, 'a server name like example.org')
/** A room ID or a room alias. */
export const roomIdOrAlias: z.ZodType<RoomId | RoomAlias, string> = parsed<RoomId | RoomAlias>(
  (text) => parseRoomAlias(text) ?? parseRoomId(text),
  'a room ID or alias',
)

/** A JSON object, whatever it holds. It is handed on as it came, never rebuilt. */
export const jsonObject = z.custom<JsonObject>(isPlainObject, {
  error: 'expected a JSON object',
  params: { expected: 'object' },
})

/** A field that may be absent. `null`, which many clients send for what they do not know, counts as absent. */
export const optional = <T extends z.ZodType>(schema: T) => z.nullish(schema).transform((value) => value ?? undefined)

/** Text of at most 255 bytes, as identifiers are. https://spec.matrix.org/latest/appendices/#identifier-grammar */
export const shortText = z.string().refine(fitsIdentifier, 'expected at most 255 bytes')
/** An event type in a path. How long it may be, the event's format judges. */
export const eventType = z.string().min(1, 'expected an event type')
/** A transaction ID, opaque to us. The specification sets no bound; ours is far above what clients make. */
export const txnId = z.string().min(1, 'expected a transaction ID').max(512, 'expected at most 512 characters')
/** A device ID. The specification sets no bound. */
export const deviceId = z.string().min(1, 'expected a device ID').max(512, 'expected at most 512 characters')
/** The name of a device as its user reads it. */
export const deviceDisplayName = z.string().max(1000, 'expected at most 1000 characters')
/** A password: longer ones would only cost us time. */
export const password = z.string().max(512, 'expected at most 512 characters')
/** The name of a file. The specification sets no bound; ours is above what file systems have. */
export const fileName = z.string().max(512, 'expected at most 512 characters')
/** A place in a stream or a page, as we gave it to the client: opaque, and judged by whoever reads it. */
export const token = z.string().max(4096, 'expected at most 4096 characters')

/** A whole number of 0 or more in a query string. Larger than `max` counts as `max`. */
export const count = (max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, 'expected a whole number of 0 or more')
    .transform((text) => Math.min(Number(text), max)) as unknown as z.ZodType<number, string>

/** `true` or `false` in a query string. */
export const flag: z.ZodType<boolean, string> = z
  .enum(['true', 'false'], 'expected true or false')
  .transform((text) => text === 'true') as unknown as z.ZodType<boolean, string>

/** A string that may come once or several times in a query string. */
export const strings: z.ZodType<string[], string | string[]> = z
  .union([z.string().transform((one) => [one]), z.array(z.string())])
  .pipe(z.array(z.string()).max(50)) as unknown as z.ZodType<string[], string | string[]>

/** The answer of endpoints that have nothing to say. */
export const empty = z.strictObject({})

/** The answer of endpoints that do not answer JSON. */
export const noJson = z.never()

/** What the server adds to an event. https://spec.matrix.org/latest/client-server-api/#room-event-format */
const unsignedData = z.looseObject({
  age: z.int().optional(),
  membership: z.string().optional(),
  prev_content: jsonObject.optional(),
  redacted_because: jsonObject.optional(),
  replaces_state: z.string().optional(),
  transaction_id: z.string().optional(),
})

/** An event of a room that is named elsewhere, as in /sync. https://spec.matrix.org/latest/client-server-api/#room-event-format */
export const clientEventWithoutRoomId = z.looseObject({
  content: jsonObject,
  event_id: z.string(),
  origin_server_ts: z.int(),
  sender: z.string(),
  state_key: z.string().optional(),
  type: z.string(),
  unsigned: unsignedData.optional(),
})

/** An event in the format that clients see. https://spec.matrix.org/latest/client-server-api/#room-event-format */
export const clientEvent = clientEventWithoutRoomId.extend({ room_id: z.string() })

/** A state event for those who are not in the room. https://spec.matrix.org/latest/client-server-api/#stripped-state */
export const strippedState = z.looseObject({
  content: jsonObject,
  sender: z.string(),
  state_key: z.string(),
  type: z.string(),
})

/** A signature map: entity to key ID to signature. https://spec.matrix.org/latest/appendices/#signing-json */
export const signatures = z.record(z.string(), z.record(z.string(), z.string()))
