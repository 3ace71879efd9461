import { createHmac } from 'node:crypto'
import { type RawAnswer, RawConnection } from '#test/helpers/raw-http.ts'

/** A homeserver under load, known by nothing but its URL and the shared secret for accounts. */
export class Target {
  readonly url: URL
  readonly #secret: string
  readonly #own: RawConnection

  constructor(url: string, secret: string) {
    this.url = new URL(url)
    this.#secret = secret
    this.#own = new RawConnection(this.url)
  }

  connection(): RawConnection {
    return new RawConnection(this.url)
  }

  close(): void {
    this.#own.close()
  }

  /** Makes an account and a client that is logged in to it. */
  async user(name: string): Promise<BenchUser> {
    const path = '/_synapse/admin/v1/register'
    const { nonce } = read<{ nonce: string }>(await this.#own.request('GET', path))
    const username = `${name}${Math.floor(Math.random() * 1e9)}`
    const password = 'of the bench'
    const mac = createHmac('sha1', this.#secret)
      .update([nonce, username, password, 'notadmin'].join('\0'))
      .digest('hex')
    const body = JSON.stringify({ nonce, username, password, admin: false, mac })
    const answer = read<{ access_token: string; user_id: string }>(await this.#own.request('POST', path, { body }))
    return new BenchUser(this, answer.access_token, answer.user_id)
  }
}

let transactions = 0

/** A user who makes load, on one connection for acts and one for syncs. */
export class BenchUser {
  readonly token: string
  readonly userId: string
  readonly acts: RawConnection
  readonly syncs: RawConnection
  since: string | undefined

  constructor(target: Target, token: string, userId: string) {
    this.token = token
    this.userId = userId
    this.acts = target.connection()
    this.syncs = target.connection()
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { token } = this
    return read<T>(
      await this.acts.request(method, path, { token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    )
  }

  /** Makes a room that anybody may join. */
  async room(wishes: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
      ...wishes,
    })
    return answer.room_id
  }

  async join(roomId: string): Promise<void> {
    await this.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
  }

  /** Sends a message of some 500 bytes. `connection`: another one of the user's. */
  async send(roomId: string, connection = this.acts): Promise<string> {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/b${process.pid}-${++transactions}`
    const answer = await connection.request('PUT', path, { token: this.token, body: MESSAGE })
    return read<{ event_id: string }>(answer).event_id
  }

  /** Syncs on from the last time and gives the body. */
  async sync(timeoutMs: number, more = ''): Promise<string> {
    const since = this.since === undefined ? '' : `&since=${encodeURIComponent(this.since)}`
    const path = `/_matrix/client/v3/sync?timeout=${timeoutMs}${since}${more}`
    const { status, body } = await this.syncs.request('GET', path, { token: this.token })
    if (status !== 200) throw new Error(`sync answered ${status}: ${body}`)
    this.since = /"next_batch":"([^"]+)"/.exec(body)?.[1]
    return body
  }

  close(): void {
    this.acts.close()
    this.syncs.close()
  }
}

const MESSAGE = JSON.stringify({ msgtype: 'm.text', body: 'A message of the usual length. '.repeat(14) })

function read<T>({ status, body }: RawAnswer): T {
  if (status >= 300) throw new Error(`the server answered ${status}: ${body}`)
  return JSON.parse(body) as T
}
