import type { Readable } from 'node:stream'
import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { forbidden, limitExceeded, tooLarge, unknown } from '#protocol/errors.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { LOCAL_ORIGIN, mediaAdded } from '#storage/stores/media.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { type Random, randomLowerAlphanumeric } from '#util/random.ts'
import { readContentType } from './content-headers.ts'
import { incomingChunks } from './incoming.ts'
import type { MediaStore, StoredFile } from './media-store.ts'

type Deps = {
  readonly commit: Commit
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly hooks: Hooks
  readonly serverName: string
  readonly store: MediaStore
  readonly maxBytes: number
}

/** A file as a client sends it. */
export type SentFile = {
  readonly stream: Readable
  readonly contentType: string | undefined
  /** What the client says the length is. */
  readonly contentLength: number | undefined
  readonly fileName: string | undefined
}

/** A file of which no more comes for so long is given up. */
const IDLE_MS = 60_000
/** How many files a user may be sending at the same time. */
const MAX_AT_ONCE = 20

/** Takes files that users upload. https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload */
export class Uploads implements AsyncDisposable {
  readonly #deps: Deps
  readonly #pending = new Set<Promise<unknown>>()
  readonly #running = new Map<number, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The largest file in bytes. */
  get maxBytes(): number {
    return this.#deps.maxBytes
  }

  /** Keeps a file; resolves to its `mxc://` URI once it is durable. */
  async take(requester: Requester, file: SentFile): Promise<string> {
    const { maxBytes } = this.#deps
    const { user } = requester
    if ((file.contentLength ?? 0) > maxBytes) throw tooLarge(`A file may have ${maxBytes} bytes at most`)
    const running = this.#running.get(user) ?? 0
    if (running >= MAX_AT_ONCE) throw limitExceeded({ retryAfterMs: 1_000 })
    this.#running.set(user, running + 1)
    const taking = this.#take(requester, file)
    this.#pending.add(taking)
    try {
      return await taking
    } catch (error) {
      // The rest is let go by, so that the client hears the answer.
      file.stream.resume()
      throw error
    } finally {
      this.#pending.delete(taking)
      const left = (this.#running.get(user) ?? 1) - 1
      if (left === 0) this.#running.delete(user)
      else this.#running.set(user, left)
    }
  }

  /** Waits until what is coming has come or broken off, and is cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pending)
  }

  async #take(requester: Requester, { stream, contentType, fileName }: SentFile): Promise<string> {
    const { clock, random, maxBytes, store, serverName } = this.#deps
    const mediaId = randomLowerAlphanumeric(random, 24)
    const type = readContentType(contentType)
    const stored = await this.#put(mediaId, incomingChunks(stream, { maxBytes, idleMs: IDLE_MS, clock }))
    try {
      await this.#mayBeKept(requester, { contentType: type, size: stored.size })
      const outcome = await this.#deps.commit(
        new Change().write(mediaAdded, {
          origin: LOCAL_ORIGIN,
          mediaId,
          uploader: requester.user,
          contentType: type,
          uploadName: fileName === '' ? undefined : fileName,
          ...stored,
          createdTs: clock.now(),
          lastAccessTs: undefined,
          isQuarantined: false,
        }),
      )
      if (!outcome.ok) throw new Error(`an upload was refused by ${outcome.refusedBy}`)
    } catch (error) {
      await store.remove(mediaId)
      throw error
    }
    return `mxc://${serverName}/${mediaId}`
  }

  async #put(mediaId: string, chunks: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    try {
      return await this.#deps.store.put(mediaId, chunks)
    } catch (error) {
      if (!isFull(error)) throw error
      this.#deps.log.error('media_store_full', { error: String(error) })
      throw unknown('The server has no room left for files', { status: 507, cause: error })
    }
  }

  async #mayBeKept(requester: Requester, file: { readonly contentType: string; readonly size: number }): Promise<void> {
    const verdict = await this.#deps.hooks.ask('checkMediaFileForSpam', requester, file)
    if (!verdict.ok) throw forbidden(verdict.reason)
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
