import { changePassword } from '#api/client/password-management.ts'
import { type Route, route } from '#http/server/route.ts'
import type { PasswordChanges } from '#services/accounts/password-change.ts'

/** Changing the password. https://spec.matrix.org/v1.19/client-server-api/#password-management */
export const passwordManagementRoutes = ({
  passwordChanges,
}: {
  readonly passwordChanges: PasswordChanges
}): Route[] => [
  route(changePassword, async ({ requester, body }) => {
    await passwordChanges.change(requester, {
      newPassword: body.new_password,
      logoutDevices: body.logout_devices ?? true,
      auth: body.auth,
    })
    return {}
  }),
]
