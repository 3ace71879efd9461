import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'

/** What a user keeps here is for nobody else: throws `M_FORBIDDEN` for those who ask for another's. */
export const mustBeOneself = (requester: Requester, userId: UserId): void => {
  if (requester.userId !== userId) throw forbidden('This is only for the user themselves')
}
