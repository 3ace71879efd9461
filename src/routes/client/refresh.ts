import { refresh } from '#api/client/refresh.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Refreshes } from '#services/sessions/refresh.ts'

/** New tokens for old ones. https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens */
export const refreshRoutes = ({ refreshes }: { readonly refreshes: Refreshes }): Route[] => [
  route(refresh, async ({ body }) => {
    const { accessToken, refreshToken, expiresInMs } = await refreshes.refresh(body.refresh_token)
    return { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: expiresInMs }
  }),
]
