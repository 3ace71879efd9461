import assert from 'node:assert/strict'
import type { Endpoint } from '#api/endpoint.ts'
import type { Refused, TestClient } from './client.ts'

type Input = Parameters<TestClient['call']>[1]

/** What a client is to send as `auth` to show the password of a user who was registered by the shared secret. */
export const passwordAuth = (client: TestClient, password = `password of ${client.userId.slice(1).split(':')[0]}`) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: client.userId },
  password,
})

/** Begins an interactive authentication and gives the session and the whole answer. */
export const challenge = async <E extends Endpoint>(
  client: TestClient,
  endpoint: E,
  input: Parameters<typeof client.call<E>>[1] & Input,
): Promise<{ readonly session: string; readonly refused: Refused }> => {
  const refused = await client.refused(endpoint, input)
  assert.equal(refused.status, 401)
  assert.ok(Array.isArray(refused.body['flows']), `no flows in ${JSON.stringify(refused.body)}`)
  assert.equal(refused.body['errcode'], undefined)
  return { session: String(refused.body['session']), refused }
}
