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
  #received: Buffer[] = []
  #receivedBytes = 0
  /** Bytes of the answer that is being received; 0 until its head is there. */
  #size = 0

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
      this.#received = []
      this.#receivedBytes = 0
      this.#size = 0
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
    this.#received.push(data)
    this.#receivedBytes += data.length
    if (this.#receivedBytes < this.#size) return
    const received = this.#received.length === 1 ? data : Buffer.concat(this.#received)
    this.#received = [received]
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = received.toString('latin1', 0, end)
    this.#size = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (received.length < this.#size) return
    const body = received.toString('utf8', end + 4, this.#size)
    const rest = received.subarray(this.#size)
    this.#received = rest.length === 0 ? [] : [rest]
    this.#receivedBytes = rest.length
    this.#size = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }
}
