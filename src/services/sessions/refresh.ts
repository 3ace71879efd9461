import { unknownToken } from '#protocol/errors.ts'
import { judgeStanding } from '#services/accounts/standing.ts'
import type { Limiter } from '#services/limiter.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { accountOf } from '#storage/stores/accounts.ts'
import {
  refreshTokenByHash,
  refreshTokenGood,
  sessionByNumber,
  sessionExpired,
  sessionOfFamily,
  supersededAccessTokensRemoved,
  supersededRefreshTokensRemoved,
} from '#storage/stores/sessions.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { isOver, type Sessions, type Tokens } from './sessions.ts'
import { familyOf, tokenHash } from './token-text.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly log: Logger
  readonly sessions: Sessions
  readonly limiter: Limiter
}

/** Trades refresh tokens for new tokens. https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens */
export class Refreshes {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * New tokens for a session. The refresh token stays good until one of them is used, so that a client whose answer was lost asks again. One
   * that is void already shows that two have it, the user and a thief: the session ends, softly.
   */
  async refresh(token: string): Promise<Tokens> {
    const { db, commit, clock, sessions, limiter } = this.#deps
    const hash = tokenHash(token)
    const row = await refreshTokenByHash(db, hash)
    if (row === undefined) return this.#refuse(token)
    const session = await sessionByNumber(db, row.session)
    const account = session === undefined ? undefined : await accountOf(db, session.user)
    if (session === undefined || account === undefined) throw unknownToken({ error: UNKNOWN })
    judgeStanding(account)
    const now = clock.now()
    if (isOver(session.expiresTs, now)) throw unknownToken({ softLogout: true, error: 'The session is over' })
    if (isOver(row.expiresTs, now)) throw unknownToken({ softLogout: true, error: 'The refresh token has run out' })
    await limiter.take(String(session.session))
    const change = new Change().require(refreshTokenGood, { session: row.session, hash })
    change.write(supersededAccessTokensRemoved, { session: row.session, hash })
    change.write(supersededRefreshTokensRemoved, { session: row.session, hash })
    const tokens = sessions.addTokens(change, {
      session: row.session,
      sessionExpiresTs: session.expiresTs,
      refresh: { family: familyOf(token), parent: hash },
    })
    sessions.forgetWith(change, row.session)
    if (!(await commit(change)).ok) throw unknownToken({ softLogout: true, error: UNKNOWN })
    return tokens
  }

  async #refuse(token: string): Promise<never> {
    const { db, commit, clock, log, sessions } = this.#deps
    const family = familyOf(token)
    const session = family === undefined ? undefined : await sessionOfFamily(db, tokenHash(family))
    if (session === undefined) throw unknownToken({ error: UNKNOWN })
    const change = new Change().write(sessionExpired, { session, expiresTs: clock.now() })
    sessions.forgetWith(change, session)
    await commit(change)
    log.warn('refresh_token_reused', { session })
    throw unknownToken({ softLogout: true, error: 'The refresh token was used already' })
  }
}

const UNKNOWN = 'The refresh token is not known'
