import { invalidParam } from '#protocol/errors.ts'
import { parseUserId, serverNameOf, type UserId } from '#protocol/identifiers.ts'
import type { Users } from '#services/accounts/users.ts'
import type { JsonObject } from '#util/json.ts'

/** The users that a request asks of, as far as they are of this server, and the servers of the others. */
export type AskedUsers = {
  /** Numbers of those that exist. */
  readonly numbers: ReadonlyMap<UserId, number>
  readonly local: readonly UserId[]
  /** By server: why nothing can be said of its users. */
  readonly failures: Readonly<Record<string, JsonObject>>
}

/** Sorts user IDs out; throws `M_INVALID_PARAM` for what is none. */
export const askedUsers = async (users: Users, asked: readonly string[]): Promise<AskedUsers> => {
  const local: UserId[] = []
  const failures = new Map<string, JsonObject>()
  for (const text of asked) {
    const userId = parseUserId(text)
    if (userId === undefined) throw invalidParam('The users are named by IDs like @name:server')
    if (users.isLocal(userId)) local.push(userId)
    else failures.set(serverNameOf(userId), UNREACHABLE)
  }
  const rows = await users.byIds(local)
  const numbers = new Map(local.flatMap((userId) => [[userId, rows.get(userId)?.user] as const]))
  return {
    numbers: new Map([...numbers].flatMap(([userId, user]) => (user === undefined ? [] : [[userId, user] as const]))),
    local,
    failures: Object.fromEntries(failures),
  }
}

const UNREACHABLE: JsonObject = { status: 503, message: 'This server does not talk to other servers' }
