import { invalidUsername } from '#protocol/errors.ts'
import { parseNewUserId, type UserId } from '#protocol/identifiers.ts'
import type { Reservations } from '#services/reservations.ts'
import { type Random, randomLowerAlphanumeric } from '#util/random.ts'

type Deps = { readonly serverName: string; readonly reservations: Reservations; readonly random: Random }

/** The names that new users may have. https://spec.matrix.org/v1.19/appendices/#user-identifiers */
export class NewNames {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The user ID for a name that somebody wants, in lower case. Throws where it cannot be one. Whether it is taken is not looked at. */
  judge(wanted: string, appserviceId?: string): UserId {
    const { serverName, reservations } = this.#deps
    const userId = parseNewUserId(`@${wanted.toLowerCase()}:${serverName}`)
    if (userId === undefined || wanted.includes(':')) {
      throw invalidUsername(
        'A user name has letters a to z, digits and the characters . _ = - / +, and is not too long',
      )
    }
    if (wanted.startsWith('_') && appserviceId === undefined) throw invalidUsername('A user name does not begin with _')
    reservations.judge('user', userId, appserviceId)
    return userId
  }

  /** A name for somebody who does not want one. */
  make(): UserId {
    const { serverName, random } = this.#deps
    return `@u${randomLowerAlphanumeric(random, 15)}:${serverName}` as UserId
  }
}
