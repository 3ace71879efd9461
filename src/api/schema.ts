import * as z from 'zod'
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '#protocol/identifiers.ts'
import { parseEventId, parseRoomAlias, parseRoomId, parseServerName, parseUserId } from '#protocol/identifiers.ts'
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

/** A JSON object, whatever it holds. */
export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected a JSON object',
)

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

/** An event in the format that clients see. https://spec.matrix.org/latest/client-server-api/#room-event-format */
export const clientEvent = z.looseObject({
  content: jsonObject,
  event_id: z.string(),
  origin_server_ts: z.int(),
  room_id: z.string().optional(),
  sender: z.string(),
  state_key: z.string().optional(),
  type: z.string(),
  unsigned: jsonObject.optional(),
})
