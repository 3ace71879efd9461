import { Accounts } from '#services/accounts/accounts.ts'
import { AdminRegistration } from '#services/accounts/admin-registration.ts'
import { Passwords } from '#services/accounts/passwords.ts'
import type { Foundation } from './wire-foundation.ts'

/** Accounts and how one gets in. */
export const wireAccounts = (foundation: Foundation) => {
  const { config } = foundation
  const passwords = new Passwords({
    pepper: config.passwords.pepper ?? '',
    rounds: config.passwords.bcryptRounds,
    policy: config.passwords.policy,
  })
  const accounts = new Accounts(foundation)
  const adminRegistration = new AdminRegistration({
    ...foundation,
    accounts,
    passwords,
    sharedSecret: config.registration.sharedSecret,
  })
  return { passwords, accounts, adminRegistration }
}
