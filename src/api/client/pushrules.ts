import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { jsonObject } from '#api/schema.ts'

const pushCondition = z.looseObject({
  kind: z.string(),
  is: z.string().optional(),
  key: z.string().optional(),
  pattern: z.string().optional(),
  value: z.union([z.string(), z.int(), z.boolean(), z.null()]).optional(),
})

const pushRule = z.looseObject({
  actions: z.array(z.union([z.string(), jsonObject])),
  conditions: z.array(pushCondition).optional(),
  default: z.boolean(),
  enabled: z.boolean(),
  pattern: z.string().optional(),
  rule_id: z.string(),
})

const rules = z.array(pushRule).optional()

/** What the caller is notified of. */
export const getPushRules = endpoint({
  id: 'getPushRules',
  spec: 'client-server-api/#get_matrixclientv3pushrules',
  method: 'GET',
  ...withR0('/_matrix/client/v3/pushrules/', '/_matrix/client/v3/pushrules'),
  auth: 'accessToken',
  response: z.object({
    global: z.object({ content: rules, override: rules, room: rules, sender: rules, underride: rules }),
  }),
})
