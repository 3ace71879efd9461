import { type AccountCleanup, Deactivations } from '#services/accounts/deactivate.ts'
import { Limiter } from '#services/limiter.ts'
import { MemberUpdates } from '#services/profiles/member-updates.ts'
import { Profiles } from '#services/profiles/profiles.ts'
import type { wireAccounts } from './wire-accounts.ts'
import type { Foundation } from './wire-foundation.ts'
import type { wireRooms } from './wire-rooms.ts'

type Ground = Foundation & ReturnType<typeof wireAccounts> & Awaited<ReturnType<typeof wireRooms>>

/** What of accounts reaches into rooms. */
export const wireProfiles = (
  ground: Ground,
  { whenDeactivated }: { readonly whenDeactivated: readonly AccountCleanup[] },
) => {
  const { config, clock } = ground
  const memberUpdates = new MemberUpdates(ground)
  return {
    memberUpdates,
    userProfiles: new Profiles({
      ...ground,
      memberUpdates,
      limiter: new Limiter(config.rateLimits.message, clock),
      settings: config.profiles,
    }),
    deactivations: new Deactivations({ ...ground, whenGone: whenDeactivated }),
  }
}
