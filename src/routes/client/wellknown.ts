import { getWellknown } from '#api/client/wellknown.ts'
import { type Route, route } from '#http/server/route.ts'
import type { WellKnown } from '#services/well-known.ts'

/** Where clients find the server. https://spec.matrix.org/v1.19/client-server-api/#well-known-uris */
export const wellknownRoutes = ({ wellKnown }: { readonly wellKnown: WellKnown }): Route[] => [
  route(getWellknown, async () => wellKnown.mustHave()),
]
