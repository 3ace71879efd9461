import { timingSafeEqual } from 'node:crypto'
import { forbidden, invalidParam, unknown } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Audit } from '#services/audit.ts'
import { judgeDisplayName } from '#services/profiles/fields.ts'
import type { NewSession, Sessions } from '#services/sessions/sessions.ts'
import type { Change } from '#storage/change.ts'
import type { Clock } from '#util/clock.ts'
import type { Random } from '#util/random.ts'
import { registrationMac, type SharedSecretRegistration } from '#util/registration-mac.ts'
import type { Accounts } from './accounts.ts'
import type { NewNames } from './names.ts'
import type { Passwords } from './passwords.ts'

type Deps = {
  readonly accounts: Accounts
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly clock: Clock
  readonly random: Random
  readonly names: NewNames
  readonly audit: Audit
  readonly sharedSecret: string | undefined
}

const NONCE_MS = 60_000
const MAX_NONCES = 1_000
const USER_TYPES = ['bot', 'support']

/** Makes accounts for whoever knows the server's shared secret, as Synapse does. https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export class AdminRegistration {
  readonly #deps: Deps
  readonly #nonces = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A nonce that is good for one registration within a minute. */
  newNonce(): string {
    this.#mustBeOn()
    const { clock, random } = this.#deps
    const now = clock.now()
    for (const [nonce, until] of this.#nonces)
      if (until <= now || this.#nonces.size >= MAX_NONCES) this.#nonces.delete(nonce)
    const nonce = Buffer.from(random.bytes(32)).toString('hex')
    this.#nonces.set(nonce, now + NONCE_MS)
    return nonce
  }

  /** Makes the account and logs it in. */
  async register(
    request: SharedSecretRegistration & { readonly mac: string; readonly displayName: string | undefined },
  ): Promise<{ readonly userId: UserId; readonly session: NewSession }> {
    const secret = this.#mustBeOn()
    this.#takeNonce(request.nonce)
    const { accounts, passwords, names } = this.#deps
    const wanted = Buffer.from(registrationMac(request, secret))
    const given = Buffer.from(request.mac.toLowerCase())
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) throw forbidden('HMAC incorrect')
    if (request.userType !== undefined && !USER_TYPES.includes(request.userType)) {
      throw invalidParam(`user_type is one of ${USER_TYPES.join(', ')}`)
    }
    const userId = names.judge(request.username)
    await accounts.mustBeFree(userId)
    const displayName = request.displayName ?? request.username
    judgeDisplayName(displayName)
    const passwordHash = await passwords.hash(request.password)
    let session: NewSession | undefined
    await accounts.create(
      {
        userId,
        kind: (request.userType ?? 'user') as 'user' | 'bot' | 'support',
        passwordHash,
        isAdmin: request.isAdmin,
        isShadowBanned: false,
        displayName,
      },
      {
        write: async (change, user) => {
          session = await this.#begin(change, { ...request, userId, user })
        },
        refused: () => unknown('The account could not be made. Try again.', { status: 503 }),
      },
    )
    if (session === undefined) throw unknown('The account was made, but not logged in', { status: 500 })
    return { userId, session }
  }

  /** The session, and the record of what was done. */
  async #begin(
    change: Change,
    made: { readonly user: number; readonly userId: UserId; readonly isAdmin: boolean },
  ): Promise<NewSession> {
    const { sessions, audit } = this.#deps
    const { user, userId, isAdmin } = made
    await audit.write(change, { actor: undefined, action: 'register', subject: userId, detail: { isAdmin } })
    const device = { deviceId: undefined, displayName: undefined }
    return sessions.begin(change, { user, ...device, kind: 'legacy', refreshable: false })
  }

  #takeNonce(nonce: string): void {
    const until = this.#nonces.get(nonce)
    this.#nonces.delete(nonce)
    if (until === undefined || until <= this.#deps.clock.now()) throw unknown('unrecognised nonce', { status: 400 })
  }

  #mustBeOn(): string {
    const { sharedSecret } = this.#deps
    if (sharedSecret === undefined) {
      throw unknown('Shared secret registration is not enabled on this homeserver', { status: 400 })
    }
    return sharedSecret
  }
}
