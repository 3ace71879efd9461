import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'

const enabled = z.object({ enabled: z.boolean() }).optional()

/** What this server and this account can do. */
export const getCapabilities = endpoint({
  id: 'getCapabilities',
  spec: 'client-server-api/#get_matrixclientv3capabilities',
  method: 'GET',
  ...withR0('/_matrix/client/v3/capabilities'),
  auth: 'accessToken',
  rateLimit: true,
  response: z.object({
    capabilities: z.looseObject({
      'm.3pid_changes': enabled,
      'm.account_moderation': z.object({ lock: z.boolean().optional(), suspend: z.boolean().optional() }).optional(),
      'm.change_password': enabled,
      'm.forget_forced_upon_leave': enabled,
      'm.get_login_token': enabled,
      'm.profile_fields': z
        .object({
          enabled: z.boolean(),
          allowed: z.array(z.string()).optional(),
          disallowed: z.array(z.string()).optional(),
        })
        .optional(),
      'm.room_versions': z
        .object({ default: z.string(), available: z.record(z.string(), z.enum(['stable', 'unstable'])) })
        .optional(),
      'm.set_avatar_url': enabled,
      'm.set_displayname': enabled,
    }),
  }),
})
