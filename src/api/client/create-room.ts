import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { jsonObject, optional, shortText, userId } from '#api/schema.ts'

const initialState = z.looseObject({ type: z.string().min(1), state_key: optional(z.string()), content: jsonObject })

const invite3pid = z.looseObject({
  id_server: z.string(),
  id_access_token: z.string(),
  medium: z.string(),
  address: z.string(),
})

/** One of these words. The specification calls everything else malformed. */
const word = <const T extends string>(...words: readonly T[]): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    const found = words.find((one) => one === text)
    if (found !== undefined) return found
    const expected = `one of ${words.join(', ')}`
    context.issues.push({ code: 'custom', message: `expected ${expected}`, params: { expected }, input: text })
    return z.NEVER
  }) as unknown as z.ZodType<T, string>

/** Makes a room, with the caller in it. */
export const createRoom = endpoint({
  id: 'createRoom',
  spec: 'client-server-api/#post_matrixclientv3createroom',
  method: 'POST',
  ...withR0('/_matrix/client/v3/createRoom'),
  auth: 'accessToken',
  suspended: false,
  bodyKind: 'event',
  body: z.looseObject({
    visibility: optional(word('public', 'private')),
    preset: optional(word('private_chat', 'public_chat', 'trusted_private_chat')),
    room_version: optional(z.string()),
    room_alias_name: optional(shortText),
    name: optional(z.string()),
    topic: optional(z.string()),
    is_direct: optional(z.boolean()),
    invite: optional(z.array(userId)),
    invite_3pid: optional(z.array(invite3pid)),
    creation_content: optional(jsonObject),
    initial_state: optional(z.array(initialState)),
    power_level_content_override: optional(jsonObject),
  }),
  response: z.object({ room_id: z.string() }),
})
