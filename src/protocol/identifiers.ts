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
