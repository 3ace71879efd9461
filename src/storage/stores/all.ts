import type { Condition, Operation } from '#storage/operation.ts'
import { numbersTaken } from './numbers.ts'
import {
  currentStateAdded,
  currentStateRemoved,
  stateAdded,
  stateKeyAdded,
  stateRemoved,
  stateRewritten,
} from './states.ts'
import { userAdded, userIdFree } from './users.ts'

const REMOVALS: readonly Operation[] = [stateRemoved, currentStateRemoved]

/** Every kind of row that can be written, in the order in which a batch writes them: what is removed first, what refers to others last. */
export const OPERATIONS: readonly Operation[] = [
  ...REMOVALS,
  numbersTaken,
  userAdded,
  stateRewritten,
  stateAdded,
  stateKeyAdded,
  currentStateAdded,
]
/** Every condition that a change can carry. */
export const CONDITIONS: readonly Condition[] = [userIdFree]
