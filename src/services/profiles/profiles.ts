import type { Requester } from '#api/requester.ts'
import type { Hooks } from '#modules/registry.ts'
import { mannerOf } from '#modules/verdicts.ts'
import {
  forbidden,
  guestAccessForbidden,
  missingParam,
  missingToken,
  notFound,
  profileTooLarge,
} from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Accounts } from '#services/accounts/accounts.ts'
import type { Limiter } from '#services/limiter.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { accountActive } from '#storage/stores/accounts.ts'
import { profileField, profileFieldRemoved, profileFieldSet, profileFits, profileOf } from '#storage/stores/profiles.ts'
import { get, type Json, type JsonObject } from '#util/json.ts'
import { fieldBytes, isRemoval, judgeFieldName, judgeFieldValue, MAX_PROFILE_BYTES, MEMBER_FIELDS } from './fields.ts'
import type { MemberUpdates } from './member-updates.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly hooks: Hooks
  readonly accounts: Accounts
  readonly limiter: Limiter
  readonly memberUpdates: MemberUpdates
  readonly settings: {
    readonly isAuthenticationRequired: boolean
    readonly maySetDisplayName: boolean
    readonly maySetAvatarUrl: boolean
  }
}

/** A field of somebody's profile. */
export type FieldOf = { readonly userId: UserId; readonly name: string }

/** What users tell of themselves. https://spec.matrix.org/v1.19/client-server-api/#profiles */
export class Profiles {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The whole profile of a local user; those of others are not asked for yet. */
  async all(requester: Requester | undefined, userId: UserId): Promise<JsonObject> {
    const user = await this.#visible(requester, userId)
    const fields = await profileOf(this.#deps.db, user)
    return Object.fromEntries(fields.map(({ field, value }) => [field, JSON.parse(value) as Json]))
  }

  /** One field of a profile, under its name. */
  async field(requester: Requester | undefined, { userId, name }: FieldOf): Promise<JsonObject> {
    const user = await this.#visible(requester, userId)
    const found = await profileField(this.#deps.db, user, name)
    if (found === undefined) throw notFound('The profile has no such field')
    return { [name]: JSON.parse(found.value) as Json }
  }

  /** Sets a field to what `body` has under its name. An empty name or picture is none. */
  async set(requester: Requester, field: FieldOf, body: JsonObject): Promise<void> {
    const { name } = field
    judgeFieldName(name)
    const value = get(body, name)
    if (value === undefined) throw missingParam(`'${name}' is missing`)
    judgeFieldValue(name, value)
    if (!(await this.#mayChange(requester, field, value))) return
    if (isRemoval(name, value)) return this.#remove(requester, name)
    const { user } = requester
    const json = JSON.stringify(value)
    const change = new Change().require(accountActive, { user })
    change.require(profileFits, { user, field: name, bytes: fieldBytes(name, json), maxBytes: MAX_PROFILE_BYTES })
    const pos = change.log({ kind: LOG_KIND.profile, user })
    change.write(profileFieldSet, { user, field: name, value: json, pos })
    await this.#commit(requester, name, change)
  }

  /** Takes a field away; one that is not there is no error. */
  async remove(requester: Requester, field: FieldOf): Promise<void> {
    judgeFieldName(field.name)
    if (!(await this.#mayChange(requester, field, undefined))) return
    await this.#remove(requester, field.name)
  }

  async #remove(requester: Requester, name: string): Promise<void> {
    const { user } = requester
    const change = new Change().require(accountActive, { user }).write(profileFieldRemoved, { user, field: name })
    change.log({ kind: LOG_KIND.profile, user })
    await this.#commit(requester, name, change)
  }

  /** The rooms hear of a name or picture once it is durable, in the background. */
  async #commit(requester: Requester, name: string, change: Change): Promise<void> {
    const { commit, memberUpdates } = this.#deps
    const outcome = await commit(change)
    if (!outcome.ok) {
      throw outcome.refusedBy === profileFits.name
        ? profileTooLarge('A profile has less than 64 KiB')
        : forbidden('There is no such account')
    }
    if (MEMBER_FIELDS.has(name) && !requester.isShadowBanned) memberUpdates.changed(requester)
  }

  /** Throws where the user may not; `false`: it is only to look as if it were changed. */
  async #mayChange(requester: Requester, { userId, name }: FieldOf, value: Json | undefined): Promise<boolean> {
    const { settings, hooks, limiter } = this.#deps
    if (userId !== requester.userId) throw forbidden('This profile is not yours')
    if (requester.isGuest && name !== 'displayname') throw guestAccessForbidden('Guests may only change their name')
    const isManaged =
      (name === 'displayname' && !settings.maySetDisplayName) || (name === 'avatar_url' && !settings.maySetAvatarUrl)
    if (isManaged && !requester.isAdmin) throw forbidden(`'${name}' cannot be changed on this server`)
    if (!requester.isExemptFromRateLimits) await limiter.take(String(requester.user))
    const verdict = await hooks.ask('userMayChangeProfile', requester, name, value)
    if (!verdict.ok && mannerOf(verdict) !== 'shadow') throw forbidden(verdict.reason)
    return verdict.ok
  }

  /** The number of a user whose profile may be seen. */
  async #visible(requester: Requester | undefined, userId: UserId): Promise<number> {
    const { settings, accounts } = this.#deps
    if (settings.isAuthenticationRequired && requester === undefined) {
      throw missingToken('One must be logged in to see profiles here')
    }
    const account = await accounts.find(userId)
    if (account === undefined || account.isDeactivated) throw notFound('There is no such user here')
    return account.user
  }
}
