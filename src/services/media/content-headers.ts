/** What may be shown where it is linked: nothing that could run scripts. https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content */
const INLINE_TYPES: ReadonlySet<string> = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
])

/** The type of files of which nobody said what they are. */
export const UNKNOWN_TYPE = 'application/octet-stream'
const MAX_TYPE = 255

/** A type as it can be kept and said again: printable ASCII that begins with a type and subtype; anything else is unknown. */
export const readContentType = (text: string | undefined): string => {
  const type = text?.trim() ?? ''
  const isType = type.length <= MAX_TYPE && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;[\x20-\x7e]*)?$/.test(type)
  return isType ? type : UNKNOWN_TYPE
}

/** What every file is sent with, so that it can do nothing on the server's own site. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
const SAFETY_HEADERS = {
  'content-security-policy':
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow, noarchive, noimageindex',
} as const

/** The headers of a file of that type and name. */
export const contentHeaders = (contentType: string, fileName: string | undefined): Record<string, string> => ({
  ...SAFETY_HEADERS,
  'content-type': withCharset(contentType),
  'content-disposition': disposition(contentType, fileName),
  // What a media ID stands for never changes, but it may be taken away.
  'cache-control': 'private, max-age=86400',
})

/** Text is UTF-8 unless it says otherwise; browsers would guess. */
const withCharset = (contentType: string): string =>
  /^text\//i.test(contentType) && !/;\s*charset=/i.test(contentType) ? `${contentType}; charset=UTF-8` : contentType

function disposition(contentType: string, fileName: string | undefined): string {
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const kind = INLINE_TYPES.has(essence) ? 'inline' : 'attachment'
  const name = fileName === undefined ? '' : withoutControls(fileName)
  if (name === '') return kind
  if (/^[\x20-\x7e]+$/.test(name)) return `${kind}; filename="${name.replaceAll(/["\\]/g, '\\$&')}"`
  return `${kind}; filename*=utf-8''${encodeName(name)}`
}

/** Nobody means control characters, and in a header they would be another header. */
const withoutControls = (name: string): string => name.toWellFormed().replaceAll(/\p{Cc}/gu, '')

/** RFC 8187. */
const encodeName = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
