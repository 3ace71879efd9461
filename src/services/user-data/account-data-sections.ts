import type { PushRules } from '#services/push/push-rules.ts'
import { hasOwn, type RoomContext, type SyncContext, type UserPart, type UserSection } from '#services/sync/sections.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { type AccountDataRow, accountDataBetween, accountDataOfRooms, NO_ROOM } from '#storage/stores/account-data.ts'
import { PUSH_RULES } from './account-data.ts'

type Deps = { readonly db: Reader; readonly pushRules: PushRules }

/** The account data in answers to syncs. https://spec.matrix.org/v1.19/client-server-api/#client-config */
export class AccountDataSections {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What belongs to no room, and push rules: all of it in a first sync, what changed in later ones. */
  readonly global: UserSection = {
    print: (context) => this.#printGlobal(context),
    isQuiet: () => true,
    isInEveryAnswer: false,
  }

  async #printGlobal(context: SyncContext): Promise<UserPart> {
    const { requester, since, upTo, filter } = context
    const printed: string[] = []
    if (hasOwn(context, LOG_KIND.pushRules) && filter.accountData({ type: PUSH_RULES })) {
      const rules = JSON.stringify(await this.#deps.pushRules.toJson(requester.user))
      printed.push(printEvent({ type: PUSH_RULES, content: rules }))
    }
    if (hasOwn(context, LOG_KIND.accountData)) {
      const range = { since: since?.position ?? 0, upTo }
      const rows = await accountDataBetween(this.#deps.db, { user: requester.user, room: NO_ROOM, ...range })
      printed.push(...rows.filter(({ type }) => filter.accountData({ type })).map(printEvent))
    }
    if (printed.length === 0) return { fields: [], isNews: false }
    return { fields: [`"account_data":{"events":[${printed.join(',')}]}`], isNews: true }
  }

  /** What the user keeps about a room, its tags too. */
  readonly ofRoom = (context: RoomContext): readonly string[] | Promise<readonly string[]> =>
    context.roomSince > 0 && !mayHaveChanged(context) ? [] : this.#printOfRoom(context)

  async #printOfRoom(context: RoomContext): Promise<readonly string[]> {
    const { requester, roomSince, upTo, filter, view } = context
    const range = { since: roomSince, upTo }
    const rows =
      context.readAhead?.accountData.get(view.room) ??
      (await accountDataBetween(this.#deps.db, { user: requester.user, room: view.room, ...range }))
    return rows.filter(({ type }) => filter.roomAccountData({ type, roomId: view.roomId })).map(printEvent)
  }
}

/** Reads for `ofRoom` what the user keeps about rooms that are printed whole. */
export const readRoomAccountData = async (
  db: Reader,
  { requester, upTo }: SyncContext,
  rooms: readonly number[],
): Promise<ReadonlyMap<number, readonly AccountDataRow[]>> => {
  const byRoom = new Map(rooms.map((room) => [room, [] as AccountDataRow[]]))
  const rows = await accountDataOfRooms(db, rooms, { user: requester.user, upTo })
  for (const row of rows) byRoom.get(row.room)?.push(row)
  return byRoom
}

const printEvent = ({ type, content }: Pick<AccountDataRow, 'type' | 'content'>): string =>
  `{"type":${JSON.stringify(type)},"content":${content}}`

const mayHaveChanged = ({ own, view }: RoomContext): boolean =>
  own === undefined || own.some(({ kind, item }) => kind === LOG_KIND.roomAccountData && item === view.room)
