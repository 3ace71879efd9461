import { getVersions } from '#api/client/versions.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Proposals } from '#services/proposals.ts'

export const versionsRoutes = ({ proposals }: { readonly proposals: Proposals }): Route[] => [
  route(getVersions, async () => ({ versions: [...proposals.versions], unstable_features: proposals.features })),
]
