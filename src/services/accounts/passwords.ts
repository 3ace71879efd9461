import { weakPassword } from '#protocol/errors.ts'
import { hashPassword, verifyPassword } from '#util/password-hash.ts'

/** What passwords must be like. https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#password_config */
export type PasswordPolicy = {
  readonly isEnabled: boolean
  readonly minLength: number
  readonly isDigitRequired: boolean
  readonly isSymbolRequired: boolean
  readonly isLowercaseRequired: boolean
  readonly isUppercaseRequired: boolean
}

type Deps = { readonly pepper: string; readonly rounds: number; readonly policy: PasswordPolicy }

/** Hashes and checks passwords, at most two at a time: each takes a core for a fifth of a second. */
export class Passwords {
  readonly #deps: Deps
  #running = 0
  readonly #waiting: (() => void)[] = []
  #nobodys: Promise<string> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password, this.#deps))
  }

  /** Whether the password belongs to the hash. An account without one takes as long to refuse. */
  verify(password: string, passwordHash: string | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#nobodys ??= hashPassword('', this.#deps)
      const matches = await verifyPassword(password, this.#deps.pepper, passwordHash ?? (await this.#nobodys))
      return matches && passwordHash !== undefined
    })
  }

  /** Throws `M_WEAK_PASSWORD` where a new password breaks the policy, or is none. */
  judge(password: string): void {
    if (password === '') throw weakPassword('The password is empty')
    const { policy } = this.#deps
    if (!policy.isEnabled) return
    if (password.length < policy.minLength) {
      throw weakPassword(`The password must have at least ${policy.minLength} characters`)
    }
    const needs: readonly (readonly [boolean, RegExp, string])[] = [
      [policy.isDigitRequired, /[0-9]/, 'a digit'],
      [policy.isSymbolRequired, /[^a-zA-Z0-9]/, 'a symbol'],
      [policy.isLowercaseRequired, /[a-z]/, 'a lower-case letter'],
      [policy.isUppercaseRequired, /[A-Z]/, 'an upper-case letter'],
    ]
    for (const [isNeeded, pattern, what] of needs) {
      if (isNeeded && !pattern.test(password)) throw weakPassword(`The password must have ${what}`)
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running >= 2) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
