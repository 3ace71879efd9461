import { sync } from '#api/client/sync.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { Syncs } from '#services/sync/sync.ts'
import type { SyncRequests } from '#services/sync/sync-requests.ts'

type Services = { readonly syncs: Syncs; readonly syncRequests: SyncRequests }

/** What happened since the last time. https://spec.matrix.org/v1.19/client-server-api/#syncing */
export const syncRoutes = ({ syncs, syncRequests }: Services): Route[] => [
  route(sync, ({ requester, query, caller }) => {
    const request = syncRequests.read(requester, {
      filter: query.filter,
      since: query.since,
      fullState: query.full_state ?? false,
      timeoutMs: query.timeout ?? 0,
      stateAfter: query.use_state_after ?? false,
      unstableStateAfter: query['org.matrix.msc4222.use_state_after'] ?? false,
      client: caller,
    })
    const answer = request instanceof Promise ? request.then((read) => syncs.sync(read)) : syncs.sync(request)
    return answer.then(asJson)
  }),
]

const asJson = (text: string): JsonText => new JsonText(text)
