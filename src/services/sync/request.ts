import type { Requester } from '#api/requester.ts'
import { everything, type Filter, limitOf } from '#protocol/filter.ts'
import { compileFields, compileFilter, compileRooms, type EventMatcher } from '#protocol/filter-match.ts'
import type { Token } from '#streams/token.ts'
import type { JsonObject } from '#util/json.ts'

/** What a client asks of a sync. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
export type SyncRequest = {
  readonly requester: Requester
  /** Where the client stands; `undefined` for a first sync, and for tokens of another incarnation. */
  readonly since: Token | undefined
  readonly filter: CompiledFilter
  readonly fullState: boolean
  readonly timeoutMs: number
  /** Under which name the client wants the state after the timeline, if it wants that rather than the one before. */
  readonly stateAfter: 'state_after' | 'org.matrix.msc4222.state_after' | undefined
  readonly client: SyncClient
}

/** Who asks, as far as the connection goes. */
export type SyncClient = {
  /** It hung up. */
  readonly isGone: boolean
  /** Is cancelled if it hangs up. */
  waiting: { readonly cancel: () => void } | undefined
}

/** A filter made ready for use. Kept as long as the definition is in use. */
export type CompiledFilter = {
  readonly filter: Filter
  readonly timelineLimit: number
  readonly wantsRoom: (roomId: string) => boolean
  readonly timeline: EventMatcher
  readonly state: EventMatcher
  readonly ephemeral: EventMatcher
  readonly roomAccountData: EventMatcher
  readonly accountData: EventMatcher
  /** Whether the timeline filter lets everything pass, so that nothing need be looked at. */
  readonly isTimelineOpen: boolean
  /** The same of the state filter. */
  readonly isStateOpen: boolean
  readonly fields: ((event: JsonObject) => JsonObject) | undefined
}

const DEFAULT_TIMELINE = 10

/** Makes a filter ready; `maxTimeline` is the server's own bound of a timeline. */
export const compileSyncFilter = (filter: Filter, maxTimeline: number): CompiledFilter => {
  const { timeline, state, ephemeral, accountData } = filter.room
  const roomPart = (part: typeof timeline) => {
    const wantsRoom = compileRooms(part)
    const matches = compileFilter(part)
    return ((event, relations) =>
      (event.roomId === undefined || wantsRoom(event.roomId)) && matches(event, relations)) satisfies EventMatcher
  }
  return {
    filter,
    timelineLimit: limitOf(timeline, { fallback: DEFAULT_TIMELINE, max: maxTimeline }),
    wantsRoom: compileRooms(filter.room),
    timeline: roomPart(timeline),
    state: roomPart(state),
    ephemeral: roomPart(ephemeral),
    roomAccountData: roomPart(accountData),
    accountData: compileFilter(filter.accountData),
    isTimelineOpen: Object.keys(timeline).every((key) => OPEN_KEYS.has(key)),
    isStateOpen: Object.keys(state).every((key) => OPEN_KEYS.has(key)),
    fields: filter.eventFields === undefined ? undefined : compileFields(filter.eventFields),
  }
}

const OPEN_KEYS = new Set(['limit', 'lazyLoadMembers', 'includeRedundantMembers', 'unreadThreadNotifications'])

/** The filter of those who send none. */
export const openFilter = (maxTimeline: number): CompiledFilter => compileSyncFilter(everything, maxTimeline)
