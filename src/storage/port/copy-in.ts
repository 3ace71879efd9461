import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type pg from 'pg'

/** What of the driver's connection a COPY needs; its own types leave it out. */
type Wire = {
  readonly stream: Duplex
  query: (text: string) => void
  sendCopyFromChunk: (chunk: Buffer) => boolean
  endCopyFrom: () => void
}

/**
 * One `COPY ... FROM STDIN`: the driver's query interface, and chunks of rows sent one after the other, no faster than they are taken.
 * https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyIn {
  readonly #text: string
  readonly #ready = Promise.withResolvers<void>()
  readonly #done = Promise.withResolvers<void>()
  #wire: Wire | undefined
  #error: unknown

  constructor(text: string) {
    this.#text = text
    // Whoever sends hears of an error by the next call.
    this.#ready.promise.catch(() => {})
    this.#done.promise.catch(() => {})
  }

  /** Sends all chunks and waits for the server's word; rejects with its error, and then nothing is copied. */
  static async run(
    client: pg.Client,
    text: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const copy = new CopyIn(text)
    client.query(copy as unknown as pg.Submittable)
    await copy.#ready.promise
    for await (const chunk of chunks) {
      await copy.#send(chunk)
      if (copy.#error !== undefined) break
    }
    if (copy.#error === undefined) copy.#wire?.endCopyFrom()
    await copy.#done.promise
  }

  async #send(chunk: Uint8Array): Promise<void> {
    const wire = this.#wire
    if (wire === undefined || chunk.byteLength === 0) return
    wire.sendCopyFromChunk(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    // A turn of the event loop, so that what the server says is heard between chunks.
    if (!wire.stream.writableNeedDrain) return new Promise((resolve) => setImmediate(resolve))
    await Promise.race([once(wire.stream, 'drain'), this.#done.promise.catch(() => {})])
  }

  /** Called by the driver. */
  submit(connection: unknown): void {
    this.#wire = connection as Wire
    this.#wire.query(this.#text)
  }
  handleCopyInResponse(): void {
    this.#ready.resolve()
  }
  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleReadyForQuery(): void {
    this.#done.resolve()
  }
  handleError(error: unknown): void {
    // What is still on its way to the server is dropped there.
    this.#error = error
    this.#ready.reject(error)
    this.#done.reject(error)
  }
}
