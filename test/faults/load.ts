import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readToken } from '#streams/token.ts'
import { type RawAnswer, RawConnection } from '#test/helpers/raw-http.ts'
import type { ServerProcess } from '#test/helpers/server-process.ts'

/** A message that the server acknowledged. */
type Acknowledged = { readonly roomId: string; readonly body: string; readonly eventId: string }

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Calls a server that may be gone for a while: the same request again and again until it is answered. */
export class StubbornClient {
  readonly #server: ServerProcess
  readonly #load: Load
  token = ''
  userId = ''
  #connection: RawConnection | undefined
  #url = ''

  constructor(server: ServerProcess, load: Load) {
    this.#server = server
    this.#load = load
  }

  async register(name: string): Promise<this> {
    const path = '/_synapse/admin/v1/register'
    const { nonce } = await this.call<{ nonce: string }>('GET', path)
    const password = 'p'
    const mac = createHmac('sha1', this.#server.secret)
      .update([nonce, name, password, 'notadmin'].join('\0'))
      .digest('hex')
    const answer = await this.call<{ access_token: string; user_id: string }>('POST', path, {
      nonce,
      username: name,
      password,
      admin: false,
      mac,
    })
    this.token = answer.access_token
    this.userId = answer.user_id
    return this
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (;;) {
      const answer = await this.#try(method, path, body)
      if (answer !== undefined && answer.status < 300) return JSON.parse(answer.body) as T
      if (answer !== undefined) this.#load.note(answer)
      if (this.#load.isOver) throw new Error('the load is over')
      await pause(20)
    }
  }

  async #try(method: string, path: string, body: unknown): Promise<RawAnswer | undefined> {
    try {
      if (this.#connection === undefined || this.#url !== this.#server.url) {
        this.#url = this.#server.url
        this.#connection = new RawConnection(new URL(this.#url))
      }
      const options = {
        ...(this.token === '' ? {} : { token: this.token }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }
      return await this.#connection.request(method, path, options)
    } catch {
      // Gone: it will be back.
      this.#connection?.close()
      this.#connection = undefined
      return undefined
    }
  }

  close(): void {
    this.#connection?.close()
  }
}

type SyncBody = {
  next_batch: string
  rooms?: { join?: Record<string, { timeline: { events: TimelineEvent[]; limited: boolean; prev_batch: string } }> }
}
type TimelineEvent = { event_id: string; type: string; content: { body?: string } }

/** Writers who send without end, each in a room of its own, and readers who sync on; all of them note what they were told. */
export class Load {
  readonly acknowledged: Acknowledged[] = []
  /** What each reader saw, by room, in order. */
  readonly seen: Map<string, string[]>[] = []
  /** Positions that stood in tokens. */
  highestPosition = 0
  /** Answers that were errors, by status and code. */
  readonly errors = new Map<string, number>()
  isOver = false
  readonly #server: ServerProcess
  readonly #clients: StubbornClient[] = []
  readonly #rooms: string[] = []
  readonly #writing: Promise<void>[] = []
  readonly #reading: Promise<void>[] = []
  #areWritersDone = false
  #count = 0

  constructor(server: ServerProcess) {
    this.#server = server
  }

  note({ status, body }: RawAnswer): void {
    const code = `${status} ${/"errcode":"([^"]+)"/.exec(body)?.[1]}`
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }

  async start({ writers, readers }: { readonly writers: number; readonly readers: number }): Promise<void> {
    const made: StubbornClient[] = []
    for (let n = 0; n < writers; n++) {
      const writer = await this.#client(`writer${n}`)
      const { room_id: roomId } = await writer.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
        preset: 'public_chat',
      })
      this.#rooms.push(roomId)
      made.push(writer)
    }
    for (let n = 0; n < readers; n++) {
      const reader = await this.#client(`reader${n}`)
      for (const roomId of this.#rooms)
        await reader.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
      this.#reading.push(this.#read(reader))
    }
    for (const [n, writer] of made.entries()) this.#writing.push(this.#write(writer, this.#rooms[n] as string))
  }

  /** Lets writers end what they began, then readers read to the end. */
  async finish(): Promise<void> {
    this.isOver = true
    await Promise.all(this.#writing)
    this.#areWritersDone = true
    await Promise.all(this.#reading)
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  /** Checks that nothing acknowledged is lost or there twice, and that what readers saw chains without gap or repeat. */
  async check(): Promise<{ readonly acknowledged: number; readonly seen: number }> {
    this.isOver = false
    const judge = await this.#client(`judge${this.#count++}`)
    let seenCount = 0
    for (const roomId of this.#rooms) {
      await judge.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
      const history = await this.#history(judge, roomId)
      const bodies = history.map(({ body }) => body)
      assert.equal(bodies.length, new Set(bodies).size, 'no message twice for one transaction')
      const byBody = new Map(history.map(({ body, eventId }) => [body, eventId]))
      for (const { body, eventId } of this.acknowledged.filter((one) => one.roomId === roomId)) {
        assert.equal(byBody.get(body), eventId, `the acknowledged message ${body} is there, as it was acknowledged`)
      }
      for (const seen of this.seen) {
        const own = seen.get(roomId) ?? []
        sameInOrder(
          own,
          history.map(({ eventId }) => eventId),
        )
        seenCount += own.length
      }
    }
    return { acknowledged: this.acknowledged.length, seen: seenCount }
  }

  async #client(name: string): Promise<StubbornClient> {
    const client = await new StubbornClient(this.#server, this).register(name)
    this.#clients.push(client)
    return client
  }

  async #write(writer: StubbornClient, roomId: string): Promise<void> {
    while (!this.isOver) {
      const body = `m${++this.#count}`
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${body}`
      try {
        const { event_id: eventId } = await writer.call<{ event_id: string }>('PUT', path, { msgtype: 'm.text', body })
        this.acknowledged.push({ roomId, body, eventId })
      } catch (error) {
        if (!this.isOver) throw error
      }
    }
  }

  async #read(reader: StubbornClient): Promise<void> {
    const seen = new Map<string, string[]>()
    this.seen.push(seen)
    let since: string | undefined
    for (let isLast = false; ; ) {
      isLast = this.#areWritersDone
      const query = since === undefined ? '' : `&since=${since}`
      const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 50 } } }))
      const answer = await this.#sync(
        reader,
        `/_matrix/client/v3/sync?timeout=${isLast ? 0 : 1000}${query}&filter=${filter}`,
      )
      if (answer === undefined) continue
      this.highestPosition = Math.max(this.highestPosition, readToken(answer.next_batch)?.position ?? 0)
      for (const [roomId, { timeline }] of Object.entries(answer.rooms?.join ?? {})) {
        const known = seen.get(roomId) ?? []
        const missed = timeline.limited ? await this.#missed(reader, roomId, timeline.prev_batch, new Set(known)) : []
        known.push(...missed, ...messages(timeline.events).map(({ eventId }) => eventId))
        seen.set(roomId, known)
      }
      since = answer.next_batch
      if (isLast) return
    }
  }

  /** The last look must come, over or not. */
  async #sync(reader: StubbornClient, path: string): Promise<SyncBody | undefined> {
    try {
      return await reader.call<SyncBody>('GET', path)
    } catch {
      await pause(20)
      return undefined
    }
  }

  /** What a limited timeline left out: paging back from it until something known comes. */
  async #missed(reader: StubbornClient, roomId: string, from: string, known: ReadonlySet<string>): Promise<string[]> {
    const missed: string[] = []
    for (const { eventId } of await this.#history(reader, roomId, from, known)) missed.push(eventId)
    return missed
  }

  async #history(
    client: StubbornClient,
    roomId: string,
    from?: string,
    known: ReadonlySet<string> = new Set(),
  ): Promise<{ readonly body: string; readonly eventId: string }[]> {
    const found: { body: string; eventId: string }[] = []
    for (let token = from; ; ) {
      const query = token === undefined ? '' : `&from=${token}`
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=200${query}`
      const page = await client.call<{ chunk: TimelineEvent[]; end?: string }>('GET', path)
      for (const message of messages(page.chunk)) {
        if (known.has(message.eventId)) return found.reverse()
        found.push(message)
      }
      if (page.end === undefined) return found.reverse()
      token = page.end
    }
  }
}

const messages = (events: readonly TimelineEvent[]): { body: string; eventId: string }[] =>
  events
    .filter(({ type }) => type === 'm.room.message')
    .map(({ event_id: eventId, content }) => ({ eventId, body: content.body ?? '' }))

/** Every message once and in order; says where that ends, instead of showing all of them. */
function sameInOrder(seen: readonly string[], sent: readonly string[]): void {
  const at = seen.findIndex((eventId, index) => eventId !== sent[index])
  const first = at === -1 ? Math.min(seen.length, sent.length) : at
  const repeated = seen.length - new Set(seen).size
  assert.deepEqual(
    { length: seen.length, differsAt: seen.length === sent.length && at === -1 ? undefined : first, repeated },
    { length: sent.length, differsAt: undefined, repeated: 0 },
    'every message once and in order, for each reader',
  )
}
