import { createRoom } from '#api/client/create-room.ts'
import { setRoomAlias } from '#api/client/directory.ts'
import { defineFilter } from '#api/client/filter.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { login } from '#api/client/login.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { TestClient } from '#test/helpers/client.ts'
import type { ServerProcess } from '#test/helpers/server-process.ts'

/** The name of the server. */
export const SERVER_NAME = 'process.example'
/** After so many requests, something of what they are about has been broken by them: then there is a new room. */
const REQUESTS_A_ROOM = 30

/** A user whom an endpoint is tried with, and what is theirs: what the `<<names>>` in requests stand for. */
export class World {
  readonly #server: ServerProcess
  readonly #name: string
  readonly #names = new Map<string, string>()
  readonly #client: TestClient
  readonly #other: TestClient
  #requests = 0

  private constructor(server: ServerProcess, name: string, clients: readonly [TestClient, TestClient]) {
    this.#server = server
    this.#name = name
    const [client, other] = clients
    this.#client = client
    this.#other = other
    this.#names.set('name', name).set('password', `password of ${name}`)
    this.#names.set('user', client.userId).set('other', other.userId).set('device', client.deviceId)
  }

  /** Makes a user of that name, and one they know. */
  static async make(server: ServerProcess, name: string): Promise<World> {
    const client = () => new TestClient({ url: () => server.url, serverName: SERVER_NAME })
    const { secret } = server
    const user = await client().registerBySecret(name, { secret, admin: false })
    const other = await client().registerBySecret(`${name}.other`, { secret, admin: false })
    return new World(server, name, [user, other])
  }

  /** The token of the user now. */
  get token(): string {
    return this.#client.accessToken ?? ''
  }

  /** Gets ready for one more request. */
  async prepare(): Promise<void> {
    if ((await this.#client.send(getTokenOwner)).status === 401) await this.#login()
    if (this.#requests++ % REQUESTS_A_ROOM === 0) await this.#furnish()
    this.#names.set('txn', `txn${this.#requests}`)
  }

  /** Puts in what the `<<names>>` stand for. */
  fill(text: string, encode: (value: string) => string): string {
    return text.replaceAll(/<<([A-Za-z]+)>>/g, (_, name: string) => encode(this.#names.get(name) ?? 'unknown'))
  }

  async #login(): Promise<void> {
    const body = { type: 'm.login.password', user: this.#name, password: `password of ${this.#name}` }
    const {
      access_token: accessToken,
      device_id: device,
      refresh_token: refresh,
    } = await new TestClient({
      url: () => this.#server.url,
      serverName: SERVER_NAME,
    }).call(login, { body: { ...body, refresh_token: true } })
    this.#client.accessToken = accessToken
    this.#names.set('device', device).set('refresh', refresh ?? '')
  }

  async #furnish(): Promise<void> {
    const client = this.#client
    const { room_id: roomId } = await client.call(createRoom, { body: { preset: 'public_chat' } })
    const { room_id: otherRoom } = await this.#other.call(createRoom, { body: { preset: 'private_chat' } })
    await this.#other.call(joinRoomById, { params: { roomId } })
    const params = { roomId, eventType: 'm.room.message', txnId: TestClient.txn() }
    const { event_id: event } = await client.call(sendMessage, { params, body: { msgtype: 'm.text', body: 'hello' } })
    const topic = { roomId, eventType: 'm.room.topic', stateKey: '' }
    const { event_id: state } = await client.call(setRoomStateWithKey, { params: topic, body: { topic: 'x' } })
    const roomAlias = `#${this.#name}.${this.#requests}:${SERVER_NAME}`
    await client.call(setRoomAlias, { params: { roomAlias }, body: { room_id: roomId as never } })
    const { filter_id: filter } = await client.call(defineFilter, { params: { userId: client.userId }, body: {} })
    const { next_batch: token } = await client.call(sync, { query: { timeout: '0' } })
    const names = { room: roomId, otherRoom, event, state, alias: roomAlias, filter, token }
    for (const [key, value] of Object.entries(names)) this.#names.set(key, value)
  }
}
