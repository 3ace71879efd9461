import { notFound } from '#protocol/errors.ts'
import type { JsonObject } from '#util/json.ts'

/** Where clients find the services of the server. */
export type DiscoveryInformation = JsonObject & { readonly 'm.homeserver': { readonly base_url: string } }

/** What `/.well-known/matrix/client` says; nothing where the administrator did not say where clients reach the server. https://spec.matrix.org/v1.19/client-server-api/#well-known-uris */
export class WellKnown {
  /** `undefined` where nothing is known for sure. */
  readonly client: DiscoveryInformation | undefined

  constructor(settings: { readonly baseUrl: string | undefined; readonly extra: JsonObject }) {
    const { baseUrl, extra } = settings
    this.client = baseUrl === undefined ? undefined : { ...extra, 'm.homeserver': { base_url: baseUrl } }
  }

  /** As `client`; throws where there is none. */
  mustHave(): DiscoveryInformation {
    if (this.client === undefined) throw notFound('This server does not say where it is')
    return this.client
  }
}
