import type { Requester } from '#api/requester.ts'
import type { WrittenObject } from '#util/json.ts'

/**
 * Lets a request pass if its user shows once more that it is them, as the `auth` of its body says. Otherwise it throws what tells the client
 * what is left to do. https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export type AuthorizeInteractively = (
  requester: Requester,
  request: {
    /** The endpoint's `operationId`: an authentication is good for one operation. */
    readonly operation: string
    /** The field `auth` of the body. */
    readonly auth: WrittenObject | undefined
  },
) => Promise<void>
