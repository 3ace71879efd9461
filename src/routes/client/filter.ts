import { defineFilter, getFilter } from '#api/client/filter.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { Filters } from '#services/user-data/filters.ts'

/** Filters that are kept under an ID. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export const filterRoutes = ({ filters }: { readonly filters: Filters }): Route[] => [
  route(defineFilter, async ({ requester, params, body }) => ({
    filter_id: await filters.define(requester, params.userId, body),
  })),
  route(
    getFilter,
    async ({ requester, params }) => new JsonText(await filters.get(requester, params.userId, params.filterId)),
  ),
]
