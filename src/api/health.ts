import { endpoint } from './endpoint.ts'
import { noJson } from './schema.ts'

/** Whether this process answers; for load balancers. */
export const getHealth = endpoint({
  id: 'getHealth',
  spec: 'https://element-hq.github.io/synapse/latest/reverse_proxy.html#health-check-endpoint',
  method: 'GET',
  path: '/health',
  auth: 'none',
  response: noJson,
})
