import { forbidden } from '#protocol/errors.ts'
import { usedMeanwhile } from '#services/accounts/interactive-auth/interactive-auth.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { accountActive } from '#storage/stores/accounts.ts'
import {
  expiredLoginTokensRemoved,
  loginTokenAdded,
  loginTokenByHash,
  loginTokenGood,
  loginTokenTaken,
} from '#storage/stores/sessions.ts'
import type { Clock } from '#util/clock.ts'
import type { Random } from '#util/random.ts'
import type { SessionExtras } from './sessions.ts'
import { newToken, tokenHash } from './token-text.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly random: Random
  readonly lifetimeMs: number
}

/** A token, and how long it is good. */
export type LoginToken = { readonly token: string; readonly expiresInMs: number }

/** Short-lived tokens by which somebody who is known here logs in on another device, once. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export class LoginTokens {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A new token for the user. `write`: what belongs into the same commit; throws where that was refused. */
  async issue(user: number, write: (change: Change) => void = () => {}): Promise<LoginToken> {
    const { commit, clock, random, lifetimeMs } = this.#deps
    const token = newToken(random, 'login')
    const now = clock.now()
    const change = new Change().require(accountActive, { user }).write(expiredLoginTokensRemoved, { now })
    change.write(loginTokenAdded, { hash: tokenHash(token), user, expiresTs: now + lifetimeMs })
    write(change)
    if (!(await commit(change)).ok) throw usedMeanwhile()
    return { token, expiresInMs: lifetimeMs }
  }

  /** Whom a token lets in, and what takes it in the commit of the login: of two who come at once, one gets in. Throws where it is no good. */
  async read(token: string): Promise<{ readonly user: number; readonly take: SessionExtras }> {
    const { db, clock } = this.#deps
    const hash = tokenHash(token)
    const now = clock.now()
    const row = await loginTokenByHash(db, hash)
    if (row === undefined || row.expiresTs <= now) throw invalid()
    return {
      user: row.user,
      take: {
        write: (change) => change.require(loginTokenGood, { hash, now }).write(loginTokenTaken, { hash }),
        refused: (condition) => (condition === loginTokenGood.name ? invalid() : undefined),
      },
    }
  }
}

const invalid = () => forbidden('The login token is not known, or not any more')
