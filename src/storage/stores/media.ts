import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, bytes, integer, optional, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** The origin of files of this server. */
export const LOCAL_ORIGIN = ''

/** What is known of a file. Its bytes are elsewhere. */
export const MEDIA = row({
  /** The server it comes from, or `LOCAL_ORIGIN`. */
  origin: text(),
  mediaId: text(),
  uploader: optional(integer()),
  contentType: text(),
  uploadName: optional(text()),
  size: integer(),
  sha256: optional(bytes()),
  createdTs: integer(),
  lastAccessTs: optional(integer()),
  isQuarantined: boolean(),
})
export type MediaRow = (typeof MEDIA)['out']

/** A file is here. */
export const mediaAdded = operation('media_added', { row: MEDIA, statement: { insert: 'media' } })

/** Somebody looked at a file. */
export const mediaSeen = operation('media_seen', {
  row: row({ origin: text(), mediaId: text(), lastAccessTs: integer() }),
  statement: {
    update: 'media',
    set: 'last_access_ts = :last_access_ts',
    where: 't.origin = :origin AND t.media_id = :media_id',
  },
  scope: ({ origin, mediaId }) => `media seen:${origin}:${mediaId}`,
  fold: 'last wins',
})

/** A file, or `undefined`. */
export const mediaOf = (db: Reader, origin: string, mediaId: string): Promise<MediaRow | undefined> =>
  db.get(
    MEDIA,
    sql`SELECT ${MEDIA} FROM media WHERE origin = ${textValue(origin)} AND media_id = ${textValue(mediaId)}`,
  )
