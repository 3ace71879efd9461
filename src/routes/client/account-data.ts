import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { AccountData } from '#services/user-data/account-data.ts'

/** What clients keep on the server, for themselves and about rooms. https://spec.matrix.org/v1.19/client-server-api/#client-config */
export const accountDataRoutes = ({ accountData }: { readonly accountData: AccountData }): Route[] => [
  route(
    getAccountData,
    async ({ requester, params: { userId, type } }) =>
      new JsonText(await accountData.get(requester, { userId, roomId: undefined, type })),
  ),
  route(getAccountDataPerRoom, async ({ requester, params }) => new JsonText(await accountData.get(requester, params))),
  route(setAccountData, async ({ requester, params: { userId, type }, body }) => {
    await accountData.set(requester, { userId, roomId: undefined, type }, body)
    return {}
  }),
  route(setAccountDataPerRoom, async ({ requester, params, body }) => {
    await accountData.set(requester, params, body)
    return {}
  }),
]
