import { getHealth } from '#api/health.ts'
import { Download, type Route, route } from '#http/server/route.ts'

/** Answers load balancers. */
export const healthRoutes = (): Route[] => [
  route(getHealth, async () => new Download({ 'content-type': 'text/plain; charset=utf-8' }, 'OK')),
]
