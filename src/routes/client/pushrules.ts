import { getPushRules } from '#api/client/pushrules.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { PushRules } from '#services/push/push-rules.ts'

/** The push rules that are in force. https://spec.matrix.org/v1.19/client-server-api/#push-rules-api */
export const pushRuleRoutes = ({ pushRules }: { readonly pushRules: PushRules }): Route[] => [
  route(getPushRules, async ({ requester }) => new JsonText(JSON.stringify(await pushRules.toJson(requester.user)))),
]
