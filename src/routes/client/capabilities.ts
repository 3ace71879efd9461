import { getCapabilities } from '#api/client/capabilities.ts'
import { type Route, route } from '#http/server/route.ts'
import { type CapabilitySettings, capabilitiesOf } from '#services/capabilities.ts'

/** What the server can do. https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation */
export const capabilitiesRoutes = ({ capabilities }: { readonly capabilities: CapabilitySettings }): Route[] => [
  route(getCapabilities, async ({ requester }) => ({ capabilities: capabilitiesOf(requester, capabilities) })),
]
