import { getLoginFlows, login } from '#api/client/login.ts'
import { generateLoginToken } from '#api/client/login-token.ts'
import { type Route, route } from '#http/server/route.ts'
import type { ExistingSessionLogins } from '#services/accounts/existing-session.ts'
import type { Logins } from '#services/accounts/login.ts'
import type { WellKnown } from '#services/well-known.ts'

type Services = {
  readonly logins: Logins
  readonly existingSessionLogins: ExistingSessionLogins
  readonly wellKnown: WellKnown
  readonly serverName: string
}

/** Logging in. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export const loginRoutes = ({ logins, existingSessionLogins, wellKnown, serverName }: Services): Route[] => [
  route(getLoginFlows, async () => ({ flows: [...logins.flows] })),
  route(login, async ({ body, caller }) => {
    const request = {
      type: body.type,
      fields: body,
      token: body.token,
      deviceId: body.device_id,
      displayName: body.initial_device_display_name,
      refreshable: body.refresh_token ?? false,
    }
    const { userId, session } = await logins.login(request, caller)
    return {
      user_id: userId,
      home_server: serverName,
      access_token: session.accessToken,
      device_id: session.deviceId,
      refresh_token: session.refreshToken,
      expires_in_ms: session.expiresInMs,
      well_known: wellKnown.client,
    }
  }),
  route(generateLoginToken, async ({ requester, body }) => {
    const { token, expiresInMs } = await existingSessionLogins.issue(requester, body.auth)
    return { login_token: token, expires_in_ms: expiresInMs }
  }),
]
