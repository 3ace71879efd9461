import * as z from 'zod'
import { jsonObject, optional } from '#api/schema.ts'

// What the endpoints with user-interactive authentication share. https://spec.matrix.org/latest/client-server-api/#user-interactive-authentication-api

/** The field `auth` of a request: a stage that the client has done, or only the session to go on with. What else a stage needs is its own. */
export const authenticationData = z.looseObject({
  type: optional(z.string().max(255)),
  session: optional(z.string().max(255)),
})

/** The body of the 401 that tells a client what is left to do. After a stage that failed it also says what was wrong. */
export const interactiveAuthRequired = z.object({
  /** The ways that lead to the goal: each a list of stages, all of which must be done. */
  flows: z.array(z.object({ stages: z.array(z.string()) })),
  /** The stages that are done. */
  completed: z.array(z.string()).optional(),
  /** By stage, what a client needs to know for it. */
  params: z.record(z.string(), jsonObject).optional(),
  session: z.string().optional(),
  errcode: z.string().optional(),
  error: z.string().optional(),
})

/** The body of the 401 that tells a client what is left to do, as it is written. */
export type InteractiveAuthRequired = z.input<typeof interactiveAuthRequired>
