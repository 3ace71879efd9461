import { connect, type Socket } from 'node:net'

/** An answer: its status and body. */
export type RawAnswer = { readonly status: number; readonly body: string }

type Waiting = { readonly resolve: (answer: RawAnswer) => void; readonly reject: (error: Error) => void }

/**
 * One keep-alive connection that speaks just enough HTTP/1.1 to load a server: one request at a time, answers with a content length. It
 * takes a fraction of what a full client would take of the processors that it shares with the server.
 */
export class RawConnection {
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #waiting: Waiting | undefined
  #received: Buffer = Buffer.alloc(0)

  constructor(url: URL) {
    this.#host = url.hostname
    this.#port = Number(url.port)
  }

  request(
    method: string,
    path: string,
    options: { readonly token?: string; readonly body?: string } = {},
  ): Promise<RawAnswer> {
    const { token, body } = options
    const head =
      `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n` +
      (token === undefined ? '' : `Authorization: Bearer ${token}\r\n`) +
      (body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`)
    return new Promise((resolve, reject) => {
      if (this.#waiting !== undefined) throw new Error('one request at a time')
      this.#waiting = { resolve, reject }
      this.#open().write(`${head}\r\n${body ?? ''}`)
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true })
    socket.on('data', (data: Buffer) => this.#read(data))
    const end = (error?: Error) => {
      this.#socket = undefined
      this.#received = Buffer.alloc(0)
      const waiting = this.#waiting
      this.#waiting = undefined
      waiting?.reject(error ?? new Error('the connection ended'))
    }
    socket.on('error', end)
    socket.on('close', () => end())
    this.#socket = socket
    return socket
  }

  #read(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.toString('latin1', 0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const size = end + 4 + length
    if (this.#received.length < size) return
    const body = this.#received.toString('utf8', end + 4, size)
    this.#received = this.#received.subarray(size)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }
}
