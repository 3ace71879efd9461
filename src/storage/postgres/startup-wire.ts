import type { Socket } from 'node:net'
import { ConnectFailure } from './connect-failure.ts'

/** A message of the server: its type and what is in it. */
export type ServerMessage = { readonly type: string; readonly body: Buffer; readonly raw: Buffer }

/** No message before the first query is longer. */
const MAX_MESSAGE = 1 << 20

/** Reads and writes one message at a time, until the connection is handed to the driver. */
export class StartupWire {
  readonly #socket: Socket
  #wake: (() => void) | undefined
  #error: Error | undefined
  #hasEnded = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError)
  }

  readonly #onReadable = (): void => this.#wake?.()
  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#wake?.()
  }
  readonly #onError = (error: Error): void => {
    this.#error ??= error
    this.#wake?.()
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** So many bytes, once they are there. */
  async take(count: number): Promise<Buffer> {
    for (;;) {
      const bytes: Buffer | null = count === 0 ? Buffer.alloc(0) : this.#socket.read(count)
      if (bytes !== null && bytes.length === count) return bytes
      if (this.#error !== undefined) throw lost(this.#error.message, this.#error)
      if (this.#hasEnded || this.#socket.destroyed) throw lost('server closed the connection unexpectedly')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async message(): Promise<ServerMessage> {
    const head = await this.take(5)
    const type = head.toString('latin1', 0, 1)
    const length = head.readUInt32BE(1)
    if (length < 4 || length > MAX_MESSAGE) throw lost('what answers there does not speak the protocol of PostgreSQL')
    const body = await this.take(length - 4)
    return { type, body, raw: Buffer.concat([head, body]) }
  }

  /** How many bytes have come that nobody has taken. */
  get waitingBytes(): number {
    return this.#socket.readableLength
  }

  /** Lets go of the socket. */
  release(): void {
    this.#socket
      .off('readable', this.#onReadable)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError)
  }
}

const lost = (message: string, cause?: unknown): ConnectFailure =>
  new ConnectFailure(message, { remedy: 'next address', cause })

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Asks for TLS. https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-SSL */
export const tlsRequest = (): Buffer => Buffer.concat([int32(8), int32(80_877_103)])

/** The first message of a session, of protocol 3. */
export const startupMessage = (minor: number, parameters: Readonly<Record<string, string>>): Buffer => {
  const texts = Object.entries(parameters).flat()
  const body = Buffer.concat([...texts.map(zeroEnded), Buffer.from([0])])
  return Buffer.concat([int32(body.length + 8), int32(0x3_0000 + minor), body])
}

/** An answer to a request for authentication. */
export const passwordMessage = (body: Buffer): Buffer => Buffer.concat([Buffer.from('p'), int32(body.length + 4), body])

/** Text as the protocol ends it. */
export const zeroEnded = (text: string): Buffer => Buffer.from(`${text}\0`)

/** The texts of a body in which each ends with a zero. */
export const zeroEndedTexts = (body: Buffer): string[] => body.toString('utf8').split('\0').slice(0, -1)

/** The fields of an error or notice, by their letters. */
export const errorFields = (body: Buffer): ReadonlyMap<string, string> =>
  new Map(zeroEndedTexts(body).map((text) => [text.slice(0, 1), text.slice(1)]))
