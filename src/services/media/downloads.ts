import type { Readable } from 'node:stream'
import { notFound } from '#protocol/errors.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { LOCAL_ORIGIN, type MediaRow, mediaOf, mediaSeen } from '#storage/stores/media.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { readRange } from './byte-range.ts'
import { contentHeaders } from './content-headers.ts'
import type { MediaStore } from './media-store.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly log: Logger
  readonly serverName: string
  readonly store: MediaStore
}

/** A file as a client asks for it. */
export type WantedFile = {
  readonly serverName: string
  readonly mediaId: string
  /** Instead of the name it was uploaded with. */
  readonly fileName: string | undefined
  /** The `Range` header. */
  readonly range: string | undefined
}

/** A file, or a part of it, to be sent to a client. */
export type SentContent = {
  readonly status: 200 | 206 | 416
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable | string
}

/** How often it is written down that a file was looked at. */
const SEEN_EVERY_MS = 24 * 60 * 60_000

/** Gives out files. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid */
export class Downloads {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A file as it was uploaded. Throws `M_NOT_FOUND` for what is not here, not any more, or quarantined. */
  async give({ serverName, mediaId, fileName, range }: WantedFile): Promise<SentContent> {
    const isLocal = serverName === this.#deps.serverName
    const media = isLocal ? await mediaOf(this.#deps.db, LOCAL_ORIGIN, mediaId) : undefined
    if (media === undefined || media.isQuarantined) throw noSuchMedia()
    const headers = {
      ...contentHeaders(media.contentType, fileName === undefined || fileName === '' ? media.uploadName : fileName),
      'accept-ranges': 'bytes',
    }
    const part = readRange(range, media.size)
    if (part === 'unsatisfiable') {
      return { status: 416, headers: { 'content-range': `bytes */${media.size}` }, body: '' }
    }
    const { start, length } = part === 'whole' ? { start: 0, length: media.size } : part
    const body = await this.#deps.store.get(mediaId, { start, length })
    if (body === undefined) {
      this.#deps.log.error('media_file_missing', { mediaId })
      throw noSuchMedia()
    }
    this.#seen(media)
    const sized = { ...headers, 'content-length': String(length) }
    if (part === 'whole') return { status: 200, headers: sized, body }
    const where = `bytes ${start}-${start + length - 1}/${media.size}`
    return { status: 206, headers: { ...sized, 'content-range': where }, body }
  }

  #seen({ origin, mediaId, lastAccessTs }: MediaRow): void {
    const { clock, commit, log } = this.#deps
    const now = clock.now()
    if (lastAccessTs !== undefined && now - lastAccessTs < SEEN_EVERY_MS) return
    // Nobody waits for it, and the next one who looks at the file writes it again.
    commit(new Change().write(mediaSeen, { origin, mediaId, lastAccessTs: now })).catch((error: unknown) =>
      log.warn('media_access_not_noted', { error: String(error) }),
    )
  }
}

const noSuchMedia = () => notFound('There is no such file here')
