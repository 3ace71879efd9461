import { getRegistrationNonce, registerWithSharedSecret } from '#api/admin/register.ts'
import { type Route, route } from '#http/server/route.ts'
import type { AdminRegistration } from '#services/accounts/admin-registration.ts'

type Services = { readonly adminRegistration: AdminRegistration; readonly serverName: string }

/** Registering accounts by the shared secret. https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export const registerRoutes = ({ adminRegistration, serverName }: Services): Route[] => [
  route(getRegistrationNonce, async () => ({ nonce: adminRegistration.newNonce() })),
  route(registerWithSharedSecret, async ({ body }) => {
    const { userId, session } = await adminRegistration.register({
      nonce: body.nonce,
      username: body.username,
      password: body.password,
      isAdmin: body.admin ?? false,
      userType: body.user_type,
      mac: body.mac,
      displayName: body.displayname,
    })
    return { access_token: session.accessToken, user_id: userId, home_server: serverName, device_id: session.deviceId }
  }),
]
