import type { Party } from './world.ts'

/**
 * What a party gets: `ok`, and nothing that is secret in it; or status and code. `401 interaction` is a demand for interactive
 * authentication.
 */
export type Outcome = 'ok' | `${number} M_${string}` | '401 interaction'
/** What each party gets. */
export type Outcomes = Readonly<Record<Party, Outcome>>

const FORBIDDEN = '403 M_FORBIDDEN'
const NO_GUESTS = '403 M_GUEST_ACCESS_FORBIDDEN'

const WITHOUT_SESSION = { stranger: '401 M_MISSING_TOKEN', deactivated: '401 M_UNKNOWN_TOKEN' } as const

const allUsers = (outcome: Outcome) => ({
  unrelated: outcome,
  former: outcome,
  invited: outcome,
  banned: outcome,
  masquerading: outcome,
})

/** No token is asked for: everybody gets the same. */
export const everybody = (outcome: Outcome): Outcomes => ({
  ...allUsers(outcome),
  stranger: outcome,
  deactivated: outcome,
  guest: outcome,
})
/** A token may be shown; one that is void is refused. */
export const everybodyWithGoodToken = (outcome: Outcome): Outcomes => ({
  ...everybody(outcome),
  deactivated: '401 M_UNKNOWN_TOKEN',
})
/** Users get this, guests are not let in. */
export const users = (outcome: Outcome): Outcomes => ({ ...WITHOUT_SESSION, ...allUsers(outcome), guest: NO_GUESTS })
/** Users and guests get this. */
export const usersAndGuests = (outcome: Outcome): Outcomes => ({
  ...WITHOUT_SESSION,
  ...allUsers(outcome),
  guest: outcome,
})
/** All whose token is good are refused; guests are not let in. */
export const nobody: Outcomes = users(FORBIDDEN)
/** All whose token is good are refused, guests as well. */
export const nobodyNorGuests: Outcomes = usersAndGuests(FORBIDDEN)
/** Those who were in the room see what was there when they left. */
export const formerMembers: Outcomes = { ...nobodyNorGuests, former: 'ok', banned: 'ok' }
