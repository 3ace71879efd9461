import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import { registrationTokenValidity } from '#api/client/registration-tokens.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Registered, Registrations } from '#services/accounts/registration.ts'

type Services = { readonly registrations: Registrations; readonly serverName: string }

/** Registering accounts. https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration */
export const registrationRoutes = ({ registrations, serverName }: Services): Route[] => {
  const answer = ({ userId, session }: Registered) => ({
    user_id: userId,
    home_server: serverName,
    access_token: session?.accessToken,
    device_id: session?.deviceId,
    refresh_token: session?.refreshToken,
    expires_in_ms: session?.expiresInMs,
  })
  return [
    route(register, async ({ query, body, caller }) => {
      if (query.kind === 'guest') {
        return answer(await registrations.registerGuest(body.initial_device_display_name, caller))
      }
      const request = {
        auth: body.auth,
        type: body.type,
        username: body.username,
        password: body.password,
        deviceId: body.device_id,
        deviceName: body.initial_device_display_name,
        isLoginInhibited: body.inhibit_login ?? false,
        refreshable: body.refresh_token ?? false,
        guestToken: body.guest_access_token,
      }
      return answer(await registrations.register(request, caller))
    }),
    route(checkUsernameAvailability, async ({ query, caller }) => {
      await registrations.mustBeAvailable(query.username, caller)
      return { available: true }
    }),
    route(registrationTokenValidity, async ({ query, caller }) => ({
      valid: await registrations.isTokenGood(query.token, caller),
    })),
  ]
}
