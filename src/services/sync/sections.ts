import type { Requester } from '#api/requester.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { AccountDataRow } from '#storage/stores/account-data.ts'
import type { LoggedRow } from '#storage/stores/log.ts'
import type { MembershipRow } from '#storage/stores/memberships.ts'
import type { ReceiptRow } from '#storage/stores/receipts.ts'
import type { Token } from '#streams/token.ts'
import type { CompiledFilter } from './request.ts'

/** What the parts of an answer to a sync know of it. */
export type SyncContext = {
  readonly requester: Requester
  /** Where the client stands; `undefined` for a first sync. */
  readonly since: Token | undefined
  /** The answer says nothing of what came after this position. */
  readonly upTo: number
  readonly now: number
  readonly filter: CompiledFilter
  /** The requester's memberships, by room. */
  readonly memberships: ReadonlyMap<number, MembershipRow>
  /** What was logged for the requester alone since the token; `undefined` in a first sync, or if it is too much to list. */
  readonly own: readonly LoggedRow[] | undefined
  /** Numbers of the users whom the requester ignores. */
  readonly ignored: ReadonlySet<number>
}

/** A room of an answer. `since`: what came after is news to the client; 0 if the whole room is. */
export type RoomContext = SyncContext & {
  readonly view: RoomView
  readonly roomSince: number
  readonly readAhead: ReadAhead | undefined
}

/** What was read of several whole rooms at once, by room. A part that does not find its room here reads by itself. */
export type ReadAhead = {
  readonly receipts: ReadonlyMap<number, readonly ReceiptRow[]>
  readonly accountData: ReadonlyMap<number, readonly AccountDataRow[]>
}

/** A part of a room's answer: printed JSON, or `undefined` where there is nothing to say. */
export type RoomSections = {
  /** Reads for rooms that are printed whole, all at once. */
  readonly readAhead: (context: SyncContext, rooms: readonly number[]) => Promise<ReadAhead>
  /** Printed events of `ephemeral`: typing, receipts. */
  readonly ephemeral: (room: RoomContext) => readonly string[] | Promise<readonly string[]>
  /** Printed events of `account_data`, tags too. */
  readonly accountData: (room: RoomContext) => readonly string[] | Promise<readonly string[]>
  /** `unread_notifications` and, where the client wants it, `unread_thread_notifications`, as fields. */
  readonly unread: (room: RoomContext) => readonly string[] | Promise<readonly string[]>
}

/** A part of the answer outside rooms. */
export type UserSection = {
  /** As printed fields (`"account_data":{...}`). `isNews` makes the answer worth sending. */
  readonly print: (context: SyncContext) => UserPart | Promise<UserPart>
  /** Whether memory says that there is nothing to tell since the token, of a requester for whom nothing was logged since. */
  readonly isQuiet: (requester: Requester, since: Token) => boolean
  /** Whether it has something to say even where that is no news. */
  readonly isInEveryAnswer: boolean
}
/** What such a part has to say. */
export type UserPart = {
  readonly fields: readonly string[]
  readonly isNews: boolean
  /** The last to-device message that is in the answer, where this is the part that has them. */
  readonly toDevice?: number
}

/** Whether something of the kind was logged for the requester since the token; true if that is not known. */
export const hasOwn = ({ own }: SyncContext, ...kinds: readonly number[]): boolean =>
  own === undefined || own.some(({ kind }) => kinds.includes(kind))
