import { setTyping } from '#api/client/typing.ts'
import { type Route, route } from '#http/server/route.ts'
import type { TypingNotices } from '#services/ephemeral/typing-notices.ts'

/** Who types. https://spec.matrix.org/v1.19/client-server-api/#typing-notifications */
export const typingRoutes = ({ typingNotices }: { readonly typingNotices: TypingNotices }): Route[] => [
  route(setTyping, async ({ requester, params, body: { typing, timeout } }) => {
    await typingNotices.take(requester, { ...params, isTyping: typing, timeoutMs: timeout })
    return {}
  }),
]
