import { getCapabilities } from '#api/client/capabilities.ts'
import { type Route, route } from '#http/server/route.ts'
import { type CapabilitySettings, capabilitiesOf } from '#services/capabilities.ts'

export const capabilitiesRoutes = ({ capabilities }: { readonly capabilities: CapabilitySettings }): Route[] => [
  route(getCapabilities, async ({ requester }) => ({ capabilities: capabilitiesOf(requester, capabilities) })),
]
