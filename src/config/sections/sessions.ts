import { duration, flag } from '#config/kinds.ts'
import { object, option, orNone } from '#config/option.ts'
import type { Context } from '#config/section.ts'
import { section } from '#config/section.ts'

const FIVE_MINUTES_MS = 300_000

/** How long a login lasts. */
export const sessions = section(
  { title: 'Sessions', doc: 'How long a login lasts, and when a user is asked for the password again.' },
  {
    lifetimeMs: option('session_lifetime', duration(), {
      doc: 'How long a login lasts at most. Without it, for ever.',
    }),
    refreshableAccessTokenLifetimeMs: option('refreshable_access_token_lifetime', orNone(duration()), {
      doc: 'How long an access token lasts that the client can renew. 5 minutes where it is left out, or `session_lifetime` where that is shorter; `null` for ever.',
    }),
    refreshTokenLifetimeMs: option('refresh_token_lifetime', duration(), {
      doc: 'How long a login lasts that is not renewed. Without it, for ever.',
    }),
    nonRefreshableAccessTokenLifetimeMs: option('nonrefreshable_access_token_lifetime', duration(), {
      doc: 'How long an access token lasts where the client cannot renew it. Without it, for ever.',
    }),
    uiAuth: option(
      'ui_auth',
      object({
        sessionTimeoutMs: option('session_timeout', duration(), {
          default: 0,
          doc: 'How long a user who gave the password for something sensitive is not asked for it again.',
        }),
      }),
      { default: {}, doc: 'Asking again before something sensitive is done.' },
    ),
    loginViaExistingSession: option(
      'login_via_existing_session',
      object({
        isEnabled: option('enabled', flag(), { default: false, doc: 'It can be done.' }),
        isAuthRequired: option('require_ui_auth', flag(), {
          default: true,
          doc: 'The user gives the password again for it.',
        }),
        tokenLifetimeMs: option('token_timeout', duration(), {
          default: '5m',
          doc: 'How soon the other device must be logged in.',
        }),
      }),
      { default: {}, doc: 'Logging in another device with a short-lived token that a logged-in one has asked for.' },
    ),
  },
  (values, context) => {
    const session = values.lifetimeMs
    for (const [key, lifetime] of [
      ['refreshable_access_token_lifetime', values.refreshableAccessTokenLifetimeMs],
      ['refresh_token_lifetime', values.refreshTokenLifetimeMs],
      ['nonrefreshable_access_token_lifetime', values.nonRefreshableAccessTokenLifetimeMs],
    ] as const)
      if (session !== undefined && lifetime !== undefined && lifetime > session)
        context.fail([key], 'Expected at most session_lifetime, and got more.')
    return { ...values, refreshableAccessTokenLifetimeMs: refreshable(values, context) }
  },
)

const KEY = 'refreshable_access_token_lifetime'

function refreshable(
  values: { readonly lifetimeMs: number | undefined; readonly refreshableAccessTokenLifetimeMs: number | undefined },
  context: Context,
): number | undefined {
  if (context.isGiven(KEY)) return values.refreshableAccessTokenLifetimeMs
  return Math.min(FIVE_MINUTES_MS, values.lifetimeMs ?? Number.POSITIVE_INFINITY)
}
