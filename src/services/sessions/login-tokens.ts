import { forbidden } from '#protocol/errors.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
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

/** Short-lived tokens by which somebody who is known here logs in on another device, once. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export class LoginTokens {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A new token for the user. */
  async issue(user: number): Promise<{ readonly token: string; readonly expiresInMs: number }> {
    const { commit, clock, random, lifetimeMs } = this.#deps
    const token = newToken(random, 'login')
    const now = clock.now()
    const change = new Change().write(expiredLoginTokensRemoved, { now })
    await commit(change.write(loginTokenAdded, { hash: tokenHash(token), user, expiresTs: now + lifetimeMs }))
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
