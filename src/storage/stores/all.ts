import type { Condition, Operation } from '#storage/operation.ts'
import { accountDataSet, accountDataUnchanged } from './account-data.ts'
import {
  accountActive,
  accountAdded,
  accountDeactivated,
  accountFree,
  accountOfGuest,
  guestUpgraded,
  passwordChanged,
  standingChanged,
} from './accounts.ts'
import { aliasAdded, aliasFree, aliasRemoved } from './aliases.ts'
import { auditEntryAdded } from './audit.ts'
import { backedUpKeySet, backedUpKeysRemoved } from './backed-up-keys.ts'
import {
  crossSigningKeyRemoved,
  crossSigningKeySet,
  crossSigningUnchanged,
  masterKeyIs,
  publicKeyNoDevice,
} from './cross-signing.ts'
import { deviceExists, deviceKeysAre, deviceKeysRemoved, deviceKeysSet } from './device-keys.ts'
import { deviceListChanged } from './device-lists.ts'
import { deviceAdded, deviceIdNoKey, deviceRemoved, deviceRenamed, deviceSeen } from './devices.ts'
import {
  eventAdded,
  eventJsonAdded,
  eventPruned,
  eventRedacted,
  missingEventAdded,
  redactionAdded,
  relationAdded,
} from './events.ts'
import { fallbackKeySet, fallbackKeysRemoved, fallbackKeyTaken } from './fallback-keys.ts'
import { filterAdded, filterNew } from './filters.ts'
import {
  interactiveAuthAdded,
  interactiveAuthMoved,
  interactiveAuthRemoved,
  interactiveAuthUnchanged,
} from './interactive-auths.ts'
import {
  backupAuthDataSet,
  backupCounted,
  backupUnchanged,
  backupVersionNew,
  keyBackupAdded,
  keyBackupDeleted,
} from './key-backups.ts'
import { keySignatureSet, keySignaturesRemoved, ownSignaturesRemoved } from './key-signatures.ts'
import { mediaAdded, mediaSeen } from './media.ts'
import { membershipChanged, membershipRenewed, roomForgotten } from './memberships.ts'
import { numbersTaken } from './numbers.ts'
import {
  claimedKeyForgotten,
  oneTimeKeyAdded,
  oneTimeKeyChangesRemoved,
  oneTimeKeyClaimed,
  oneTimeKeyFits,
  oneTimeKeysChanged,
  oneTimeKeysRemoved,
} from './one-time-keys.ts'
import { profileFieldRemoved, profileFieldSet, profileFits, profileRemoved } from './profiles.ts'
import { pushRulesSet, pushRulesUnchanged } from './push-rules.ts'
import { receiptMoved } from './receipts.ts'
import {
  registrationTokenAdded,
  registrationTokenClaimed,
  registrationTokenGood,
  registrationTokenReleased,
  registrationTokenUsed,
} from './registration-tokens.ts'
import { roomAdded, roomMoved, roomUnchanged } from './rooms.ts'
import {
  accessTokenAdded,
  accessTokenGood,
  accessTokensRemoved,
  accessTokenUsed,
  deviceSessionIs,
  expiredLoginTokensRemoved,
  loginTokenAdded,
  loginTokenGood,
  loginTokensOfUserRemoved,
  loginTokenTaken,
  refreshTokenAdded,
  refreshTokenGood,
  refreshTokensRemoved,
  sessionAdded,
  sessionAuthenticated,
  sessionExpired,
  sessionRemoved,
  supersededAccessTokensRemoved,
  supersededRefreshTokensRemoved,
} from './sessions.ts'
import {
  currentStateAdded,
  currentStateRemoved,
  stateAdded,
  stateKeyAdded,
  stateRemoved,
  stateRewritten,
} from './states.ts'
import { toDeviceAdded, toDeviceRemoved } from './to-device.ts'
import { transactionAdded, transactionNew } from './transactions.ts'
import { unreadMarkAdded, unreadMarksPassed } from './unread.ts'
import { userAdded, userIdFree } from './users.ts'

/** Every kind of row that can be written, in the order in which a batch writes them: what is removed first, what refers to others last. */
export const OPERATIONS: readonly Operation[] = [
  accessTokensRemoved,
  supersededAccessTokensRemoved,
  refreshTokensRemoved,
  supersededRefreshTokensRemoved,
  loginTokenTaken,
  expiredLoginTokensRemoved,
  loginTokensOfUserRemoved,
  interactiveAuthRemoved,
  sessionRemoved,
  deviceRemoved,
  deviceKeysRemoved,
  claimedKeyForgotten,
  oneTimeKeysRemoved,
  oneTimeKeyChangesRemoved,
  fallbackKeysRemoved,
  toDeviceRemoved,
  keySignaturesRemoved,
  ownSignaturesRemoved,
  crossSigningKeyRemoved,
  backedUpKeysRemoved,
  profileFieldRemoved,
  profileRemoved,
  aliasRemoved,
  stateRemoved,
  currentStateRemoved,
  unreadMarksPassed,
  numbersTaken,
  userAdded,
  accountAdded,
  guestUpgraded,
  standingChanged,
  passwordChanged,
  accountDeactivated,
  registrationTokenAdded,
  registrationTokenClaimed,
  registrationTokenReleased,
  registrationTokenUsed,
  interactiveAuthAdded,
  interactiveAuthMoved,
  auditEntryAdded,
  sessionAdded,
  sessionExpired,
  sessionAuthenticated,
  deviceAdded,
  deviceRenamed,
  deviceSeen,
  profileFieldSet,
  accessTokenUsed,
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
  fallbackKeyTaken,
  oneTimeKeyClaimed,
  deviceKeysSet,
  oneTimeKeyAdded,
  fallbackKeySet,
  oneTimeKeysChanged,
  deviceListChanged,
  crossSigningKeySet,
  keySignatureSet,
  toDeviceAdded,
  keyBackupAdded,
  backupAuthDataSet,
  backupCounted,
  keyBackupDeleted,
  backedUpKeySet,
  accountDataSet,
  pushRulesSet,
  receiptMoved,
  mediaAdded,
  mediaSeen,
  unreadMarkAdded,
]
/** Every condition that a change can carry. */
export const CONDITIONS: readonly Condition[] = [
  userIdFree,
  accountFree,
  accountActive,
  accountOfGuest,
  profileFits,
  aliasFree,
  deviceSessionIs,
  deviceIdNoKey,
  refreshTokenGood,
  accessTokenGood,
  loginTokenGood,
  registrationTokenGood,
  interactiveAuthUnchanged,
  roomUnchanged,
  transactionNew,
  deviceExists,
  deviceKeysAre,
  oneTimeKeyFits,
  crossSigningUnchanged,
  masterKeyIs,
  publicKeyNoDevice,
  backupVersionNew,
  backupUnchanged,
  filterNew,
  accountDataUnchanged,
  pushRulesUnchanged,
]
