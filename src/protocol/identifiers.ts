declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** `@localpart:server`. https://spec.matrix.org/v1.19/appendices/#user-identifiers */
export type UserId = Branded<'UserId'>
/** `!opaque` with or without a server. https://spec.matrix.org/v1.19/appendices/#room-ids */
export type RoomId = Branded<'RoomId'>
/** `$` and an opaque string or a hash. https://spec.matrix.org/v1.19/appendices/#event-ids */
export type EventId = Branded<'EventId'>
/** `#alias:server`. https://spec.matrix.org/v1.19/appendices/#room-aliases */
export type RoomAlias = Branded<'RoomAlias'>
/** `host` or `host:port`. https://spec.matrix.org/v1.19/appendices/#server-name */
export type ServerName = Branded<'ServerName'>
/** Where a file of the content repository comes from, and its name there. https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris */
export type MxcUri = { readonly serverName: ServerName; readonly mediaId: string }

/** The most bytes of UTF-8 that user, room and event IDs, aliases, event types and state keys may have. https://spec.matrix.org/v1.19/client-server-api/#size-limits */
export const MAX_IDENTIFIER_BYTES = 255

/** Whether text has at most 255 bytes in UTF-8. https://spec.matrix.org/v1.19/client-server-api/#size-limits */
export const fitsIdentifier = (text: string): boolean =>
  text.length * 3 <= MAX_IDENTIFIER_BYTES ||
  (text.length <= MAX_IDENTIFIER_BYTES && Buffer.byteLength(text) <= MAX_IDENTIFIER_BYTES)

/**
 * A user ID as it may stand in events: also of the historical grammar, whose localpart is any text without `:` and NUL,
 * even empty. `undefined` for anything else. https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export const parseUserId = (value: unknown): UserId | undefined =>
  isQualified(value, '@') ? (value as UserId) : undefined

/** A user ID of the current grammar, the only one for new users: a localpart of `a-z 0-9 . _ = - / +`, not empty. https://spec.matrix.org/v1.19/appendices/#user-identifiers */
export const parseNewUserId = (value: unknown): UserId | undefined => {
  const userId = parseUserId(value)
  return userId !== undefined && /^[a-z0-9._=\-/+]+$/.test(localpartOf(userId)) ? userId : undefined
}

/** Whether clients may be told of a user outside the context of an event: a localpart of U+0021 to U+007E, not empty. https://spec.matrix.org/v1.19/appendices/#historical-user-ids */
export const isCompliantUserId = (userId: UserId): boolean => /^[!-~]+$/.test(localpartOf(userId))

/** A room ID of either form: `!opaque:server`, or `!` and 43 characters of a hash. https://spec.matrix.org/v1.19/appendices/#room-ids */
export const parseRoomId = (value: unknown): RoomId | undefined => parseQualifiedRoomId(value) ?? parseHashRoomId(value)

/** A room ID of the form `!opaque:server` (versions 1 to 11). https://spec.matrix.org/v1.19/appendices/#room-ids */
export const parseQualifiedRoomId = (value: unknown): RoomId | undefined =>
  isQualified(value, '!') && value[1] !== ':' ? (value as RoomId) : undefined

/** A room ID that is the hash of a create event (from version 12). https://spec.matrix.org/v1.19/rooms/v12/#event-format */
export const parseHashRoomId = (value: unknown): RoomId | undefined =>
  typeof value === 'string' && /^![A-Za-z0-9_-]{43}$/.test(value) ? (value as RoomId) : undefined

/** An event ID of any room version: `$` and an opaque string. https://spec.matrix.org/v1.19/appendices/#event-ids */
export const parseEventId = (value: unknown): EventId | undefined =>
  isText(value) && value.length > 1 && value[0] === '$' ? (value as EventId) : undefined

/** An event ID of the form `$opaque:server` (versions 1 and 2). https://spec.matrix.org/v1.19/rooms/v1/#event-ids */
export const parseQualifiedEventId = (value: unknown): EventId | undefined =>
  isQualified(value, '$') && value[1] !== ':' ? (value as EventId) : undefined

/** A room alias; its localpart is any text without `:` and NUL. https://spec.matrix.org/v1.19/appendices/#room-aliases */
export const parseRoomAlias = (value: unknown): RoomAlias | undefined =>
  isQualified(value, '#') && value[1] !== ':' ? (value as RoomAlias) : undefined

/** A server name: a DNS name, an IPv4 literal or an IPv6 literal in brackets, and perhaps a port. Case counts. https://spec.matrix.org/v1.19/appendices/#server-name */
export const parseServerName = (value: unknown): ServerName | undefined =>
  typeof value === 'string' && isServerName(value) ? (value as ServerName) : undefined

/** The host of a server name (an IPv6 literal in its brackets) and the port, where it names one. https://spec.matrix.org/v1.19/appendices/#server-name */
export const splitServerName = (serverName: ServerName): { hostname: string; port: number | undefined } => {
  const colon = serverName.indexOf(':', serverName.lastIndexOf(']') + 1)
  if (colon === -1) return { hostname: serverName, port: undefined }
  return { hostname: serverName.slice(0, colon), port: Number(serverName.slice(colon + 1)) }
}

/** Whether a host, as `splitServerName` gives it, is an IP literal rather than a DNS name. https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names */
export const isIpLiteral = (hostname: string): boolean => hostname.startsWith('[') || isIpv4(hostname)

/** A `mxc://` URI; its media ID consists of `A-Za-z0-9_-`. https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris */
export const parseMxcUri = (value: unknown): MxcUri | undefined => {
  const match = typeof value === 'string' ? /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]+)$/.exec(value) : undefined
  const serverName = parseServerName(match?.[1])
  const mediaId = match?.[2]
  return serverName === undefined || mediaId === undefined ? undefined : { serverName, mediaId }
}

/** The text of a `mxc://` URI, such as `mxc://example.org/abc`. https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris */
export const printMxcUri = ({ serverName, mediaId }: MxcUri): string => `mxc://${serverName}/${mediaId}`

/** The server that an identifier names; room IDs from version 12 and event IDs from version 3 name none. https://spec.matrix.org/v1.19/appendices/#common-identifier-format */
export function serverNameOf(id: UserId | RoomAlias): ServerName
export function serverNameOf(id: UserId | RoomAlias | RoomId | EventId): ServerName | undefined
export function serverNameOf(id: string): ServerName | undefined {
  const colon = id.indexOf(':')
  return colon === -1 ? undefined : (id.slice(colon + 1) as ServerName)
}

/** The part of an identifier between its sigil and its server. https://spec.matrix.org/v1.19/appendices/#common-identifier-format */
export const localpartOf = (id: UserId | RoomAlias | RoomId | EventId): string => {
  const colon = id.indexOf(':')
  return colon === -1 ? id.slice(1) : id.slice(1, colon)
}

/** Whether `value` is an opaque identifier of 1 to `maxLength` characters. https://spec.matrix.org/v1.19/appendices/#opaque-identifiers */
export const isOpaqueIdentifier = (value: unknown, maxLength = 255): value is string =>
  typeof value === 'string' && value.length <= maxLength && /^[0-9A-Za-z\-._~]+$/.test(value)

/** Whether `value` follows the common namespaced identifier grammar. https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar */
export const isNamespacedIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z][a-z0-9\-_.]{0,254}$/.test(value)

/** Text that an identifier can be: whole characters, without NUL, at most 255 bytes. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && fitsIdentifier(value) && !value.includes('\0') && value.isWellFormed()

/** A sigil, any text up to the first colon, and a server name. */
function isQualified(value: unknown, sigil: string): value is string {
  if (!isText(value) || value[0] !== sigil) return false
  const colon = value.indexOf(':')
  return colon !== -1 && isServerName(value.slice(colon + 1))
}

const SERVER_NAME = /^(?:([0-9A-Za-z.-]{1,255})|\[([0-9A-Fa-f:.]{2,45})\])(?::[0-9]{1,5})?$/
const IPV4 = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/

function isServerName(text: string): boolean {
  const match = SERVER_NAME.exec(text)
  if (match === null) return false
  const [, name, ipv6] = match
  if (ipv6 !== undefined) return isIpv6(ipv6)
  return name !== undefined && (!IPV4.test(name) || isIpv4(name))
}

const isIpv4 = (text: string): boolean => IPV4.test(text) && text.split('.').every((part) => Number(part) <= 255)

/** https://tools.ietf.org/html/rfc3513#section-2.2: eight groups, `::` for one or more of zeros, the last two perhaps as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)
  const endsInIpv4 = last !== undefined && isIpv4(last) && !text.endsWith('::')
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups
  if (!plain.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false
  const count = plain.length + (endsInIpv4 ? 2 : 0)
  return halves.length === 1 ? count === 8 : count <= 7
}
