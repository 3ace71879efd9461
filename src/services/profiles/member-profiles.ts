import type { UserId } from '#protocol/identifiers.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Reader } from '#storage/database.ts'
import { profileOf } from '#storage/stores/profiles.ts'
import type { JsonObject } from '#util/json.ts'
import { MEMBER_FIELDS } from './fields.ts'

type Deps = { readonly db: Reader; readonly users: Users }

/** What of a profile stands in membership events. https://spec.matrix.org/v1.19/client-server-api/#mroommember */
export class MemberProfiles {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The name and picture of a local user, as fields of a membership event. */
  async of(user: number): Promise<JsonObject> {
    const fields = await profileOf(this.#deps.db, user)
    return Object.fromEntries(
      fields.flatMap(({ field, value }) => (MEMBER_FIELDS.has(field) ? [[field, JSON.parse(value)]] : [])),
    )
  }

  /** As `of`, by the user's ID; nothing for users of other servers. */
  async ofUser(userId: UserId): Promise<JsonObject> {
    if (!this.#deps.users.isLocal(userId)) return {}
    const row = await this.#deps.users.find(userId)
    return row === undefined ? {} : this.of(row.user)
  }
}
