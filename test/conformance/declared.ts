import { endpoints } from '#api/all.ts'
import type { Endpoint } from '#api/endpoint.ts'
import type { Operation } from './facts.ts'

/** The folders of `src/api/` by the API of the specification, and how its documents begin. */
const APIS: Readonly<Record<string, { readonly folder: string; readonly document: string }>> = {
  'client-server': { folder: 'client', document: 'client-server-api/' },
  'server-server': { folder: 'federation', document: 'server-server-api/' },
  'application-service': { folder: 'appservice', document: 'application-service-api/' },
  identity: { folder: 'identity', document: 'identity-service-api/' },
  'push-gateway': { folder: 'push', document: 'push-gateway-api/' },
}

/** The API of the specification that an endpoint belongs to; none where another document declares it. */
export const apiOf = ({ spec }: Endpoint): string | undefined =>
  Object.entries(APIS).find(([, { document }]) => spec.startsWith(document))?.[0]

/** Where in `src/api/` the endpoints of a file of the specification are. */
export const moduleOf = ({ api, file }: Operation): string =>
  `#api/${APIS[api]?.folder}/${file.replaceAll('_', '-')}.ts`

/** The endpoints that the specification declares, too. */
export const specified: readonly (Endpoint & { readonly api: string })[] = endpoints.flatMap((endpoint) => {
  const api = apiOf(endpoint)
  return api === undefined ? [] : [{ ...endpoint, api }]
})

const routeOf = ({ api, method, path }: { api: string; method: string; path: string }): string =>
  `${api} ${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`

const byRoute = new Map(specified.map((endpoint) => [routeOf(endpoint), endpoint]))

/** The endpoint that answers for an operation. Operations that share a route share the endpoint. */
export const endpointOf = (operation: Operation): Endpoint | undefined => byRoute.get(routeOf(operation))
