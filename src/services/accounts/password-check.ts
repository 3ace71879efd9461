import { badJson, forbidden, missingParam, unknown, userDeactivated } from '#protocol/errors.ts'
import { parseUserId, type UserId } from '#protocol/identifiers.ts'
import type { Limiter } from '#services/limiter.ts'
import type { Reader } from '#storage/database.ts'
import { type AccountRow, accountOf, accountsOf } from '#storage/stores/accounts.ts'
import { localUsersFolded } from '#storage/stores/users.ts'
import { get } from '#util/json.ts'
import type { Passwords } from './passwords.ts'
import type { Users } from './users.ts'

type Deps = {
  readonly db: Reader
  readonly users: Users
  readonly passwords: Passwords
  readonly serverName: string
  /** Counts wrong passwords, by user ID. */
  readonly failedLimiter: Limiter
  /** For what passwords are good here. */
  readonly use: 'always' | 'onlyForReauth' | 'never'
}

/** An object as a client sent it: its fields are looked at one by one. */
export type SentFields = Readonly<Record<string, unknown>>

/** An account, and the name of its user. */
export type NamedAccount = { readonly account: AccountRow; readonly userId: UserId }

/** The one place where passwords are compared, so that all guesses count. https://spec.matrix.org/v1.19/client-server-api/#password-based */
export class PasswordCheck {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Passwords log in. */
  get mayLogIn(): boolean {
    return this.#deps.use === 'always'
  }

  /** Passwords confirm who somebody is. */
  get mayConfirm(): boolean {
    return this.#deps.use !== 'never'
  }

  /** The account of that name, if the password is its own. `only`: no other account will do. Throws `M_FORBIDDEN`, `M_LIMIT_EXCEEDED`. */
  async verify(name: string, password: string, only?: number): Promise<NamedAccount> {
    const { serverName, passwords, failedLimiter } = this.#deps
    const userId = name.startsWith('@') ? name : `@${name}:${serverName}`
    const key = userId.slice(0, 300).toLowerCase()
    // Taken before the password is looked at: many guesses at once are as many guesses.
    await failedLimiter.take(key)
    const found = await this.#find(userId)
    const isWanted = found !== undefined && (only === undefined || found.account.user === only)
    if (isWanted && found.account.isDeactivated) throw userDeactivated('This account has been deactivated')
    const matches = await passwords.verify(password, isWanted ? found.account.passwordHash : undefined)
    if (!matches || !isWanted) throw forbidden('Invalid username or password')
    failedLimiter.refund(key)
    return found
  }

  /** As `verify`, for what a client sends of the user and the password, in the present and in the deprecated form. */
  async verifyFields(fields: SentFields, only?: number): Promise<NamedAccount> {
    const password = get(fields, 'password')
    if (password === undefined || password === null) throw missingParam("'password' is missing: expected string")
    if (typeof password !== 'string' || password.length > MAX_PASSWORD)
      throw badJson("'password' is no text, or too long")
    return this.verify(nameOf(fields), password, only)
  }

  /** Old names may have capital letters; who types them need not, unless that fits several. */
  async #find(text: string): Promise<NamedAccount | undefined> {
    const { db, users } = this.#deps
    const userId = parseUserId(text)
    if (userId === undefined || !users.isLocal(userId)) return undefined
    const exact = await users.find(userId)
    const account = exact === undefined ? undefined : await accountOf(db, exact.user)
    if (account !== undefined) return { account, userId }
    const rows = await localUsersFolded(db, lowerAscii(userId))
    const accounts = await accountsOf(
      db,
      rows.map(({ user }) => user),
    )
    const [only, ...others] = accounts
    const row = rows.find(({ user }) => user === only?.user)
    if (only === undefined || row === undefined || others.length > 0) return undefined
    return { account: only, userId: row.userId as UserId }
  }
}

const MAX_PASSWORD = 512

/** As both databases lower text of theirs. */
const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

/** The name in an identifier. Nobody has addresses or phone numbers here yet. https://spec.matrix.org/v1.19/client-server-api/#identifier-types */
function nameOf(fields: SentFields): string {
  const identifier = get(fields, 'identifier') ?? undefined
  const type = identifier === undefined ? undefined : get(identifier, 'type')
  const unknownAddress = forbidden('Nobody has this address or phone number here')
  if (type === 'm.id.thirdparty' || type === 'm.id.phone') throw unknownAddress
  if (type !== undefined && type !== 'm.id.user') throw unknown('Unknown identifier type', { status: 400 })
  const user = (type === undefined ? get(fields, 'user') : get(identifier, 'user')) ?? undefined
  if (user === undefined) {
    if (typeof (get(fields, 'address') ?? get(identifier, 'address')) === 'string') throw unknownAddress
    throw missingParam("'identifier' is missing: expected one of type m.id.user")
  }
  if (typeof user !== 'string') throw badJson("'user' must be a string")
  return user
}
