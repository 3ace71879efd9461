import type { UserId } from '#protocol/identifiers.ts'

/** Who makes a request, as its token says. Made by authentication alone. */
export type Requester = {
  /** The user's number. */
  readonly user: number
  readonly userId: UserId
  /** The device of the session; guests and application services may have none. */
  readonly deviceId: string | undefined
  /** Names the device among those of all users, where there is one: a key for maps, made once. */
  readonly device: string | undefined
  /** The session's number; 0 for application services, which have none. */
  readonly session: number
  /** What an OAuth token was granted; a legacy session may do all. */
  readonly scopes: readonly string[] | 'all'
  readonly isGuest: boolean
  readonly isAdmin: boolean
  /** The application service that acts, possibly for one of its users. */
  readonly appserviceId: string | undefined
  readonly isExemptFromRateLimits: boolean
  readonly isSuspended: boolean
  /** Requests are answered as if they had an effect. */
  readonly isShadowBanned: boolean
}
