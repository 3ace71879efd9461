import assert from 'node:assert/strict'
import type * as z from 'zod'
import { getRegistrationNonce, registerWithSharedSecret } from '#api/admin/register.ts'
import type { Endpoint } from '#api/endpoint.ts'
import { checkResponse } from '#test/conformance/facts.ts'
import { registrationMac } from '#util/registration-mac.ts'

/** What a call gives: as the endpoint says for 200, else whatever came. */
export type Answer<Body> = { readonly status: number; readonly body: Body; readonly headers: Headers }

type CallInput<E extends Endpoint> = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: z.input<E['body']> | undefined
  /** Instead of `body`: sent as it is. */
  readonly raw?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** Another of the endpoint's paths. */
  readonly at?: string
  readonly signal?: AbortSignal
}

/** A refused request, as tests look at it. */
export class Refused extends Error {
  readonly status: number
  readonly errcode: string
  readonly body: Record<string, unknown>

  constructor(id: string, status: number, body: Record<string, unknown>) {
    super(`${id}: ${status} ${JSON.stringify(body)}`)
    this.status = status
    this.errcode = String(body['errcode'])
    this.body = body
  }
}

let transactions = 0

/** A client of a test. Every answer it gets is held against the endpoint's own schema and the specification's. */
export class TestClient {
  readonly #url: () => string
  readonly serverName: string
  accessToken: string | undefined
  userId = ''
  deviceId = ''

  constructor({ url, serverName }: { readonly url: () => string; readonly serverName: string }) {
    this.#url = url
    this.serverName = serverName
  }

  /** Another client of the same server with this one's token. */
  with(session: { readonly accessToken: string; readonly userId: string; readonly deviceId: string }): TestClient {
    return Object.assign(new TestClient({ url: this.#url, serverName: this.serverName }), session)
  }

  /** Calls an endpoint and gives the body of its answer; throws `Refused` for anything but success. */
  async call<E extends Endpoint>(endpoint: E, input: CallInput<E> = {}): Promise<z.output<E['response']>> {
    const { status, body } = await this.send(endpoint, input)
    if (status >= 300) throw new Refused(endpoint.id, status, body as Record<string, unknown>)
    const result = endpoint.response.safeParse(body)
    assert.ok(
      result.success,
      `${endpoint.id} answered what it does not declare: ${JSON.stringify(result.error?.issues)}`,
    )
    return result.data as z.output<E['response']>
  }

  /** Calls an endpoint that is to refuse. */
  async refused<E extends Endpoint>(endpoint: E, input: CallInput<E> = {}): Promise<Refused> {
    const { status, body } = await this.send(endpoint, input)
    assert.ok(status >= 400, `${endpoint.id} was expected to refuse, but answered ${status} ${JSON.stringify(body)}`)
    return new Refused(endpoint.id, status, body as Record<string, unknown>)
  }

  /** Calls an endpoint and gives whatever came. */
  async send<E extends Endpoint>(endpoint: E, input: CallInput<E> = {}): Promise<Answer<unknown>> {
    const path = (input.at ?? endpoint.path).replaceAll(/\{([A-Za-z]+)\}/g, (_, name: string) =>
      encodeURIComponent(input.params?.[name] ?? ''),
    )
    const url = new URL(this.#url() + path)
    for (const [name, value] of Object.entries(input.query ?? {})) {
      for (const one of [value].flat()) url.searchParams.append(name, one as string)
    }
    const body = input.raw ?? (input.body === undefined ? undefined : JSON.stringify(input.body))
    const response = await fetch(url, {
      method: endpoint.method,
      headers: {
        ...(this.accessToken === undefined ? {} : { authorization: `Bearer ${this.accessToken}` }),
        ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...input.headers,
      },
      ...(body === undefined ? {} : { body: body as string }),
      ...(input.signal === undefined ? {} : { signal: input.signal }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const parsed = isJson ? JSON.parse(text) : text
    if (isJson && endpoint.spec.startsWith('client-server-api'))
      assert.deepEqual(checkResponse(endpoint.id, response.status, parsed), [], `${endpoint.id} and the specification`)
    return { status: response.status, body: parsed, headers: response.headers }
  }

  /** Registers by the shared secret; this client is logged in then. */
  async registerBySecret(
    username: string,
    { secret, admin }: { readonly secret: string; readonly admin: boolean },
  ): Promise<this> {
    const { nonce } = await this.call(getRegistrationNonce)
    const password = `password of ${username}`
    const mac = registrationMac({ nonce, username, password, isAdmin: admin, userType: undefined }, secret)
    const answer = await this.call(registerWithSharedSecret, { body: { nonce, username, password, admin, mac } })
    return Object.assign(this, {
      accessToken: answer.access_token,
      userId: answer.user_id,
      deviceId: answer.device_id,
    })
  }

  /** A transaction ID that no test used before. */
  static txn(): string {
    return `t${++transactions}`
  }
}
