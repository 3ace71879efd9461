import type { JsonObject } from '#util/json.ts'
import { get, getString } from '#util/json.ts'
import type { SentFields } from './password-check.ts'

/** What a client sends to register. */
export type RegistrationRequest = {
  readonly auth: SentFields | undefined
  readonly type: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly deviceId: string | undefined
  readonly deviceName: string | undefined
  /** No session is wanted. */
  readonly isLoginInhibited: boolean
  readonly refreshable: boolean
  /** Of a guest who becomes a user. */
  readonly guestToken: string | undefined
}

const TEXTS = ['username', 'password', 'deviceId', 'deviceName', 'guestToken'] as const

/** What of a request is kept for later requests of the same authentication. */
export const paramsOf = (request: RegistrationRequest): JsonObject => ({
  ...Object.fromEntries(TEXTS.flatMap((key) => (request[key] === undefined ? [] : [[key, request[key]]]))),
  isLoginInhibited: request.isLoginInhibited,
  refreshable: request.refreshable,
})

/** A request with what an earlier one said already. */
export const requestOf = (sent: RegistrationRequest, kept: JsonObject): RegistrationRequest => ({
  auth: sent.auth,
  type: sent.type,
  username: sent.username ?? getString(kept, 'username'),
  password: sent.password ?? getString(kept, 'password'),
  deviceId: sent.deviceId ?? getString(kept, 'deviceId'),
  deviceName: sent.deviceName ?? getString(kept, 'deviceName'),
  guestToken: sent.guestToken ?? getString(kept, 'guestToken'),
  isLoginInhibited: sent.isLoginInhibited || get(kept, 'isLoginInhibited') === true,
  refreshable: sent.refreshable || get(kept, 'refreshable') === true,
})
