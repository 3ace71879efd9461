import { unauthorized } from '#protocol/errors.ts'
import type { Passwords } from '#services/accounts/passwords.ts'
import type { Reader } from '#storage/database.ts'
import { accountOf } from '#storage/stores/accounts.ts'
import { get, getString, type JsonObject } from '#util/json.ts'
import type { AuthorizeInteractively } from './interactive.ts'

const FLOWS: JsonObject = { flows: [{ stages: ['m.login.password'] }], params: {}, session: 'password' }

/** Interactive authentication with the one stage `m.login.password` and no memory of sessions. */
export const passwordStage =
  ({ db, passwords }: { readonly db: Reader; readonly passwords: Passwords }): AuthorizeInteractively =>
  async ({ user, userId }, { auth }) => {
    if (getString(auth, 'type') !== 'm.login.password') {
      throw unauthorized('Enter your password to go on', { fields: FLOWS })
    }
    const identifier = getString(get(auth, 'identifier'), 'user') ?? getString(auth, 'user') ?? userId
    const isOwn = identifier === userId || `@${identifier}` === userId.slice(0, userId.indexOf(':'))
    const account = await accountOf(db, user)
    const isRight = await passwords.verify(getString(auth, 'password') ?? '', account?.passwordHash)
    if (!isOwn || !isRight) throw unauthorized('The password is not the right one', { fields: FLOWS })
  }
