import type { Condition, Operation } from '#storage/operation.ts'
import { accountActive, accountAdded, accountChanged, passwordChanged } from './accounts.ts'
import { aliasAdded, aliasFree, aliasRemoved } from './aliases.ts'
import { deviceAdded, deviceRemoved, deviceRenamed, deviceSeen } from './devices.ts'
import {
  eventAdded,
  eventJsonAdded,
  eventPruned,
  eventRedacted,
  missingEventAdded,
  redactionAdded,
  relationAdded,
} from './events.ts'
import { filterAdded } from './filters.ts'
import { membershipChanged, membershipRenewed, roomForgotten } from './memberships.ts'
import { numbersTaken } from './numbers.ts'
import { profileFieldRemoved, profileFieldSet } from './profiles.ts'
import { roomAdded, roomMoved, roomUnchanged } from './rooms.ts'
import {
  accessTokenAdded,
  accessTokensRemoved,
  loginTokenAdded,
  loginTokenTaken,
  olderRefreshTokensRemoved,
  otherAccessTokensRemoved,
  refreshTokenAdded,
  refreshTokenExchanged,
  refreshTokenGood,
  refreshTokensRemoved,
  sessionAdded,
  sessionRemoved,
} from './sessions.ts'
import {
  currentStateAdded,
  currentStateRemoved,
  stateAdded,
  stateKeyAdded,
  stateRemoved,
  stateRewritten,
} from './states.ts'
import {
  endedTasksRemoved,
  exclusionFree,
  taskAdded,
  taskClaimed,
  taskEnded,
  taskHeld,
  taskPutBack,
  taskRemoved,
  taskWaits,
} from './tasks.ts'
import { transactionAdded, transactionNew } from './transactions.ts'
import { unreadMarkAdded, unreadMarksPassed } from './unread.ts'
import { userAdded, userIdFree } from './users.ts'

/** Every kind of row that can be written, in the order in which a batch writes them: what is removed first, what refers to others last. */
export const OPERATIONS: readonly Operation[] = [
  accessTokensRemoved,
  otherAccessTokensRemoved,
  refreshTokensRemoved,
  olderRefreshTokensRemoved,
  refreshTokenExchanged,
  loginTokenTaken,
  sessionRemoved,
  deviceRemoved,
  profileFieldRemoved,
  aliasRemoved,
  stateRemoved,
  currentStateRemoved,
  unreadMarksPassed,
  taskRemoved,
  endedTasksRemoved,
  numbersTaken,
  userAdded,
  accountAdded,
  accountChanged,
  passwordChanged,
  sessionAdded,
  deviceAdded,
  deviceRenamed,
  deviceSeen,
  profileFieldSet,
  accessTokenAdded,
  refreshTokenAdded,
  loginTokenAdded,
  roomAdded,
  roomMoved,
  aliasAdded,
  stateKeyAdded,
  stateRewritten,
  stateAdded,
  currentStateAdded,
  eventAdded,
  eventJsonAdded,
  eventRedacted,
  eventPruned,
  relationAdded,
  redactionAdded,
  missingEventAdded,
  membershipChanged,
  membershipRenewed,
  roomForgotten,
  transactionAdded,
  filterAdded,
  unreadMarkAdded,
  taskClaimed,
  taskHeld,
  taskPutBack,
  taskEnded,
  taskAdded,
]
/** Every condition that a change can carry. */
export const CONDITIONS: readonly Condition[] = [
  userIdFree,
  accountActive,
  aliasFree,
  refreshTokenGood,
  roomUnchanged,
  transactionNew,
  taskWaits,
  exclusionFree,
]
