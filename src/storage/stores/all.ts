import type { Condition, Operation } from '#storage/operation.ts'
import { numbersTaken } from './numbers.ts'
import { userAdded, userIdFree } from './users.ts'

/** Every kind of row that can be written, in the order in which a batch writes them: what is removed first, what refers to others last. */
export const OPERATIONS: readonly Operation[] = [numbersTaken, userAdded]
/** Every condition that a change can carry. */
export const CONDITIONS: readonly Condition[] = [userIdFree]
