import { unknown } from '#protocol/errors.ts'
import { defaultRules } from '#protocol/push/default-rules.ts'
import { type CompiledRules, compileRules } from '#protocol/push/evaluate.ts'
import {
  effectiveRules,
  isDefaultRuleset,
  type PushRuleset,
  rulesetToJson,
  type UserPushRules,
  untouchedRules,
} from '#protocol/push/rules.ts'
import type { Users } from '#services/accounts/users.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { customRuleUsers, pushRulesOf, pushRulesSet, pushRulesUnchanged } from '#storage/stores/push-rules.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { JsonObject } from '#util/json.ts'
import { KeyedMutex } from '#util/keyed-mutex.ts'
import { ReadThrough } from '#util/read-through.ts'
import { printStoredRules, readStoredRules } from './stored-rules.ts'

/** The push rules of a user, the defaults and what the user said about them. */
export class RulesOfUser {
  /** The rules judge every event as the defaults do: the verdict for all such members is one. */
  readonly isUntouched: boolean
  readonly #userId: string
  readonly #said: UserPushRules
  #compiled: CompiledRules | undefined

  constructor(userId: string, said: UserPushRules) {
    this.#userId = userId
    this.#said = said
    this.isUntouched = isDefaultRuleset(said, defaultRules(userId))
  }

  /** Ready to judge events. Kept for those who changed something; the others are judged together. */
  get compiled(): CompiledRules {
    const compiled = this.#compiled ?? compileRules(this.effective, this.#userId)
    if (!this.isUntouched) this.#compiled = compiled
    return compiled
  }

  /** All rules in the order in which they apply. */
  get effective(): PushRuleset {
    return effectiveRules(this.#said, defaultRules(this.#userId))
  }

  /** About how many bytes it takes in memory. */
  get bytes(): number {
    if (this.isUntouched && this.#said === untouchedRules) return 200
    return 10_000 + printStoredRules(this.#said).length * 6
  }
}

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly users: Users
  readonly cache: ByteCache<number, RulesOfUser>
}

/** How many users are read at once. */
const PAGE = 1_000
/** How often a change is tried that others come before. */
const ATTEMPTS = 10

/** What users are notified of. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export class PushRules {
  readonly #deps: Deps
  readonly #rules: ReadThrough<number, RulesOfUser>
  readonly #changing = new KeyedMutex<number>()
  #custom: Promise<Set<number>> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#rules = new ReadThrough(deps.cache)
  }

  /** The rules of a local user. */
  rulesOf(user: number): Promise<RulesOfUser> {
    return this.#rules.get(user, () => this.#read(user))
  }

  /** Everybody on this server whose rules are not the default ones. Resident, for every event is held against it. */
  customUsers(): Promise<ReadonlySet<number>> {
    if (this.#custom !== undefined) return this.#custom
    const reading = this.#readCustom()
    this.#custom = reading
    reading.catch(() => {
      this.#custom = undefined
    })
    return reading
  }

  /** All rules as clients read them. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
  async toJson(user: number): Promise<{ readonly global: JsonObject }> {
    return { global: rulesetToJson((await this.rulesOf(user)).effective) }
  }

  /** Has the user say something else, losing nothing that is said at the same time. `edit` may be asked several times; it throws to refuse. */
  change(user: number, edit: (said: UserPushRules) => UserPushRules): Promise<void> {
    return this.#changing.run(user, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const row = await pushRulesOf(this.#deps.db, user)
        const edited = edit(row === undefined ? untouchedRules : readStoredRules(row.rules))
        const isCustom = !isDefaultRuleset(edited, defaultRules(''))
        const change = new Change().require(pushRulesUnchanged, { user, pos: row?.pos ?? 0 })
        const pos = change.log({ kind: LOG_KIND.pushRules, user })
        change.write(pushRulesSet, { user, rules: printStoredRules(edited), isCustom, pos })
        change.onCommitted(() => this.#changed(user, isCustom))
        if ((await this.#deps.commit(change)).ok) return
      }
      throw unknown('The push rules are being changed by too many at once. Try again.', { status: 503 })
    })
  }

  #changed(user: number, isCustom: boolean): void {
    this.#rules.forget(user)
    // What is being read right now may have been read before this commit: it is told when it is there.
    this.#custom?.then(
      (users) => (isCustom ? users.add(user) : users.delete(user)),
      () => {},
    )
  }

  async #readCustom(): Promise<Set<number>> {
    const users = new Set<number>()
    for (let after = 0; ; ) {
      const page = await customRuleUsers(this.#deps.db, { after, limit: PAGE })
      for (const user of page) users.add(user)
      if (page.length < PAGE) return users
      after = page.at(-1) ?? after
    }
  }

  async #read(user: number): Promise<RulesOfUser> {
    const { db, users } = this.#deps
    const row = await pushRulesOf(db, user)
    const userId = (await users.byNumbers([user])).get(user)?.userId
    if (userId === undefined) throw new Error(`there is no user ${user}`)
    return new RulesOfUser(userId, row === undefined ? untouchedRules : readStoredRules(row.rules))
  }
}
