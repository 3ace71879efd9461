import { connect, type Socket } from 'node:net'

/** What an answer says, read from the wire. */
export type RawResponse = { readonly status: number; readonly head: string; readonly body: string }

/** A connection to which a test writes what it likes. */
export class RawSocket {
  readonly socket: Socket
  readonly #closed: Promise<void>
  #received = ''
  #isClosed = false
  #wake = () => {}

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ host: hostname, port: Number(port) })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
    // That it ended is all that counts.
    this.socket.on('error', () => {})
    this.#closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isClosed = true
        this.#wake()
        resolve()
      })
    })
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data)
  }

  /** Writes a request's head, of these lines. */
  head(first: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.write(`${first} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }

  /** The next answer; an error when the connection ends without one. */
  async response(): Promise<RawResponse> {
    for (;;) {
      const found = this.#take()
      if (found !== undefined) return found
      if (this.#isClosed) throw new Error(`the connection ended without an answer: ${this.#received.slice(0, 200)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when the connection is over. */
  closed(): Promise<void> {
    return this.#closed
  }

  close(): void {
    this.socket.destroy()
  }

  #take(): RawResponse | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const head = this.#received.slice(0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (this.#received.length < end + 4 + length) return undefined
    const body = this.#received.slice(end + 4, end + 4 + length)
    this.#received = this.#received.slice(end + 4 + length)
    return { status: Number(head.slice(9, 12)), head, body }
  }
}
