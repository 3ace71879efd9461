import { endpoint } from './endpoint.ts'
import { noJson } from './schema.ts'

/** What Prometheus reads. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const getMetrics = endpoint({
  id: 'getMetrics',
  spec: 'https://element-hq.github.io/synapse/latest/metrics-howto.html',
  method: 'GET',
  path: '/_synapse/metrics',
  alsoAt: ['/metrics'],
  auth: 'none',
  response: noJson,
})
