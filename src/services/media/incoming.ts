import type { Readable } from 'node:stream'
import { tooLarge, unknown } from '#protocol/errors.ts'
import type { Clock } from '#util/clock.ts'

type Limits = { readonly maxBytes: number; readonly idleMs: number; readonly clock: Clock }

/**
 * The bytes of an upload as they come. Throws a MatrixError where there are more than `maxBytes`, where the client hangs up, and where
 * nothing comes for `idleMs`. The stream is not destroyed when it is too much, so that the client can be told.
 */
export async function* incomingChunks(stream: Readable, { maxBytes, idleMs, clock }: Limits): AsyncGenerator<Buffer> {
  let size = 0
  let cancel = () => {}
  const awaitMore = () => {
    cancel()
    cancel = clock.after(idleMs, () => stream.destroy(new Error('nothing came for too long')))
  }
  awaitMore()
  try {
    for await (const chunk of chunksOf(stream)) {
      size += chunk.byteLength
      if (size > maxBytes) throw tooLarge(`A file may have ${maxBytes} bytes at most`)
      yield chunk
      awaitMore()
    }
  } finally {
    cancel()
  }
}

/** What goes wrong here went wrong on the client's side. */
async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch (cause) {
    throw unknown('The upload broke off', { status: 400, cause })
  }
}
