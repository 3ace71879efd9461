import { serverNameOf } from '#protocol/identifiers.ts'
import { allowed, refused, type Verdict } from '#util/verdict.ts'
import type { AuthCase } from './auth-state.ts'

/** Rule 4 up to version 5: whether `m.room.aliases` may be sent, by members or not. https://spec.matrix.org/v1.19/rooms/v1/#authorization-rules */
export function authorizeAliases({ event }: Pick<AuthCase, 'event'>): Verdict {
  // 4.1. If event has no state_key, reject.
  if (event.stateKey === undefined) return refused('4.1', 'Expected aliases to have a state key.')
  // 4.2. If sender's domain doesn't match state_key, reject.
  if (serverNameOf(event.sender) !== event.stateKey)
    return refused('4.2', 'Expected the state key to be the server of the sender.')
  // 4.3. Otherwise, allow.
  return allowed
}
