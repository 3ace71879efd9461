import type { NumberName } from '#storage/stores/numbers.ts'

/** A column in which numbers of one kind stand. `span`: what stands there is number * span + n. */
export type NumberColumn = { readonly table: string; readonly column: string; readonly span?: number }

const columns = (column: string, tables: readonly string[]): NumberColumn[] =>
  tables.map((table) => ({ table, column }))

/** How far ahead of the last position the ceiling is set: as many positions may be skipped by a start after a crash. */
export const CEILING_STEP = 10_000
/** How many events, keys or states stand in one room (`room-key.ts`). */
export const SPAN = 2 ** 28
/** No counter may come near what a number in JavaScript can hold. */
export const LARGEST = 2 ** 53 - 2 ** 30

/**
 * The counters of `numbers`: where numbers of each name stand with an index of their own, so that the highest one is found without a scan,
 * and the largest that may be given. A counter must be above all of them.
 */
export const NUMBER_COLUMNS: Readonly<
  Record<NumberName, { readonly largest: number; readonly columns: readonly NumberColumn[] }>
> = {
  user: {
    largest: LARGEST,
    columns: [
      ...columns('user', ['users', 'accounts', 'profile_fields', 'devices', 'sessions', 'memberships', 'log']),
      ...columns('user', ['transactions', 'unread_marks', 'account_data', 'filters', 'push_rules', 'to_device']),
      ...columns('user', ['device_keys', 'one_time_keys', 'one_time_key_changes', 'fallback_keys']),
      ...columns('user', ['cross_signing_keys', 'device_list_changes', 'key_backups', 'backed_up_keys']),
      { table: 'key_signatures', column: 'signed_user' },
      { table: 'media', column: 'uploader' },
    ],
  },
  room: {
    largest: Math.floor(LARGEST / SPAN),
    columns: [
      ...columns('room', ['rooms', 'log', 'relations', 'redactions', 'missing_events', 'state_keys', 'current_states']),
      ...columns('room', ['memberships', 'aliases', 'receipts', 'events']),
      { table: 'events', column: 'event', span: SPAN },
      { table: 'event_json', column: 'event', span: SPAN },
      { table: 'state_keys', column: 'key', span: SPAN },
      { table: 'states', column: 'state', span: SPAN },
    ],
  },
  session: { largest: LARGEST, columns: columns('session', ['sessions', 'access_tokens', 'refresh_tokens']) },
  task: { largest: LARGEST, columns: columns('task', ['tasks']) },
  audit: { largest: LARGEST, columns: columns('entry', ['audit']) },
  filter: { largest: LARGEST, columns: columns('filter', ['filters']) },
}

/** Where a row's place in the log stands. No row may stand above the last position that was given. */
export type PositionColumn = {
  readonly table: string
  readonly column: string
  /**
   * How a start finds the highest one: by an index of its own; of each room or device that it looks at; or not at all (such a row has an
   * entry in the log, which is looked at). `check-database --full` reads them all.
   */
  readonly foundBy: 'index' | 'room' | 'device' | 'log entry'
}

/** Every column of positions. */
export const POSITION_COLUMNS: readonly PositionColumn[] = [
  { table: 'log', column: 'pos', foundBy: 'index' },
  { table: 'device_list_changes', column: 'pos', foundBy: 'index' },
  { table: 'events', column: 'pos', foundBy: 'room' },
  { table: 'current_states', column: 'pos', foundBy: 'room' },
  { table: 'receipts', column: 'pos', foundBy: 'room' },
  { table: 'to_device', column: 'pos', foundBy: 'device' },
  ...['profile_fields', 'memberships', 'unread_marks', 'account_data', 'push_rules', 'one_time_keys'].map(
    (table) => ({ table, column: 'pos', foundBy: 'log entry' }) as const,
  ),
  { table: 'one_time_key_changes', column: 'pos', foundBy: 'log entry' },
  { table: 'memberships', column: 'since_pos', foundBy: 'log entry' },
  { table: 'receipts', column: 'event_pos', foundBy: 'log entry' },
]

/** The counters of each room, and where its numbers stand. */
export const ROOM_COUNTERS = [
  { column: 'next_event', table: 'events', key: 'event', noun: 'events' },
  { column: 'next_state_key', table: 'state_keys', key: 'key', noun: 'state keys' },
  { column: 'next_state', table: 'states', key: 'state', noun: 'states' },
] as const
