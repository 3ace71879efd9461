import { Accounts } from '#services/accounts/accounts.ts'
import { AdminRegistration } from '#services/accounts/admin-registration.ts'
import { type DeviceCleanup, Devices } from '#services/accounts/devices.ts'
import { ExistingSessionLogins } from '#services/accounts/existing-session.ts'
import { Guests } from '#services/accounts/guests.ts'
import { Confirmations } from '#services/accounts/interactive-auth/confirmations.ts'
import { InteractiveAuth, LIFETIME_MS } from '#services/accounts/interactive-auth/interactive-auth.ts'
import { dummyStage, passwordStage, registrationTokenStage } from '#services/accounts/interactive-auth/stages.ts'
import { Sweeper } from '#services/accounts/interactive-auth/sweeper.ts'
import { Logins } from '#services/accounts/login.ts'
import { NewNames } from '#services/accounts/names.ts'
import { PasswordChanges } from '#services/accounts/password-change.ts'
import { PasswordCheck } from '#services/accounts/password-check.ts'
import { Passwords } from '#services/accounts/passwords.ts'
import { Registrations } from '#services/accounts/registration.ts'
import { Standings } from '#services/accounts/standing.ts'
import { Audit } from '#services/audit.ts'
import type { CapabilitySettings } from '#services/capabilities.ts'
import { Limiter, type Rate } from '#services/limiter.ts'
import { LoginTokens } from '#services/sessions/login-tokens.ts'
import { Refreshes } from '#services/sessions/refresh.ts'
import { WellKnown } from '#services/well-known.ts'
import type { Foundation } from './wire-foundation.ts'

/** What else goes when a device is gone, and what else is told when one is called otherwise. */
type DeviceHooks = { readonly whenGone: readonly DeviceCleanup[]; readonly whenRenamed: readonly DeviceCleanup[] }

/** How often one session may exchange refresh tokens. */
const REFRESHES: Rate = { perSecond: 0.2, burst: 20 }
/** How often one user may get a token to log in with, as the specification advises. */
const LOGIN_TOKENS: Rate = { perSecond: 1 / 60, burst: 1 }
/** How often one address may ask whether names are free. */
const AVAILABILITY: Rate = { perSecond: 2, burst: 50 }

/** Accounts and how one gets in. */
export const wireAccounts = (foundation: Foundation, { whenGone, whenRenamed }: DeviceHooks) => {
  const { config, clock, sessions } = foundation
  const limiter = (rate: Rate) => new Limiter(rate, clock)
  const passwords = new Passwords({
    pepper: config.passwords.pepper ?? '',
    rounds: config.passwords.bcryptRounds,
    policy: config.passwords.policy,
  })
  const accounts = new Accounts(foundation)
  const audit = new Audit(foundation)
  const names = new NewNames(foundation)
  const passwordCheck = new PasswordCheck({
    ...foundation,
    passwords,
    failedLimiter: limiter(config.rateLimits.login.failedAttempts),
    use: config.passwords.isLocalDatabaseUsed ? config.passwords.use : 'never',
  })
  const authentication = wireAuthentication(foundation, passwordCheck)
  const devices = new Devices({
    ...foundation,
    ...authentication,
    whenGone,
    whenRenamed,
  })
  const shared = { ...foundation, ...authentication, passwords, passwordCheck, accounts, audit, names, devices }
  const tokens = wireLoginTokens(foundation, authentication)
  return {
    ...authentication,
    ...tokens,
    passwords,
    passwordCheck,
    accounts,
    audit,
    devices,
    logins: new Logins({
      ...shared,
      ...tokens,
      addressLimiter: limiter(config.rateLimits.login.address),
      accountLimiter: limiter(config.rateLimits.login.account),
      areTokensOffered: config.sessions.loginViaExistingSession.isEnabled,
    }),
    refreshes: new Refreshes({ ...foundation, limiter: limiter(REFRESHES) }),
    registrations: new Registrations({
      ...shared,
      guests: new Guests({ ...shared, areGuestsAllowed: config.registration.areGuestsAllowed }),
      limiter: limiter(config.rateLimits.registration),
      availabilityLimiter: limiter(AVAILABILITY),
      tokenLimiter: limiter(config.rateLimits.registrationTokenValidity),
      settings: config.registration,
    }),
    passwordChanges: new PasswordChanges(shared),
    standings: new Standings({
      ...shared,
      forget: (user) => sessions.forget((holder) => holder.user === user),
    }),
    adminRegistration: new AdminRegistration({ ...shared, sharedSecret: config.registration.sharedSecret }),
    wellKnown: new WellKnown({
      baseUrl: config.server.isPublicBaseUrlGiven ? config.server.publicBaseUrl : undefined,
      extra: config.wellKnown.extraClientContent,
    }),
    capabilities: capabilitySettings(foundation, passwordCheck),
  }
}

/** How users show who they are. */
const wireAuthentication = (foundation: Foundation, passwordCheck: PasswordCheck) => {
  const { config, clock } = foundation
  const stages = [dummyStage, passwordStage(passwordCheck), registrationTokenStage(clock)]
  const sweeper = new Sweeper({ ...foundation, stages, lifetimeMs: LIFETIME_MS })
  const interactiveAuth = new InteractiveAuth({ ...foundation, stages, sweeper })
  const confirmations = new Confirmations({
    ...foundation,
    interactiveAuth,
    passwordCheck,
    graceMs: config.sessions.uiAuth.sessionTimeoutMs,
  })
  return { sweeper, interactiveAuth, confirmations }
}

/** How one device lets another one in. */
const wireLoginTokens = (foundation: Foundation, authentication: { readonly confirmations: Confirmations }) => {
  const { isEnabled, isAuthRequired, tokenLifetimeMs } = foundation.config.sessions.loginViaExistingSession
  const loginTokens = new LoginTokens({ ...foundation, lifetimeMs: tokenLifetimeMs })
  const limiter = new Limiter(LOGIN_TOKENS, foundation.clock)
  const existingSessionLogins = new ExistingSessionLogins({
    ...authentication,
    loginTokens,
    limiter,
    isEnabled,
    isAuthRequired,
  })
  return { loginTokens, existingSessionLogins }
}

const capabilitySettings = ({ config }: Foundation, passwordCheck: PasswordCheck): CapabilitySettings => ({
  defaultRoomVersion: config.rooms.defaultVersion,
  mayChangePassword: passwordCheck.mayConfirm,
  mayGetLoginToken: config.sessions.loginViaExistingSession.isEnabled,
  maySetDisplayName: config.profiles.maySetDisplayName,
  maySetAvatarUrl: config.profiles.maySetAvatarUrl,
  areRoomsForgottenOnLeave: config.rooms.areForgottenOnLeave,
})
