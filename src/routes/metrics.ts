import { getMetrics } from '#api/metrics.ts'
import { Download, type Route, route } from '#http/server/route.ts'

/** Gives the metrics out. */
export const metricsRoutes = (metrics: { readonly print: () => Promise<string> }): Route[] => [
  route(
    getMetrics,
    async () => new Download({ 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, await metrics.print()),
  ),
]
