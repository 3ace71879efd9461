import { getVersions } from '#api/client/versions.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Proposals } from '#services/proposals.ts'

/** Which versions of the specification are served. https://spec.matrix.org/v1.19/client-server-api/#api-versions */
export const versionsRoutes = ({ proposals }: { readonly proposals: Proposals }): Route[] => [
  route(getVersions, async () => ({ versions: [...proposals.versions], unstable_features: proposals.features })),
]
