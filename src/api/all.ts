import { getRegistrationNonce, registerWithSharedSecret } from '#api/admin/register.ts'
import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { getConfigAuthed, getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { ban, unban } from '#api/client/banning.ts'
import { getCapabilities } from '#api/client/capabilities.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { createRoom } from '#api/client/create-room.ts'
import { uploadCrossSigningKeys, uploadCrossSigningSignatures } from '#api/client/cross-signing.ts'
import { deleteDevice, deleteDevices, getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { defineFilter, getFilter } from '#api/client/filter.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoom, joinRoomById } from '#api/client/joining.ts'
import {
  deleteRoomKeyBySessionId,
  deleteRoomKeys,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysByRoomId,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeys,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
} from '#api/client/key-backup.ts'
import { claimKeys, getKeysChanges, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { kick } from '#api/client/kicking.ts'
import { forgetRoom, leaveRoom } from '#api/client/leaving.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { getLoginFlows, login } from '#api/client/login.ts'
import { generateLoginToken } from '#api/client/login-token.ts'
import { logout, logoutAll } from '#api/client/logout.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { changePassword } from '#api/client/password-management.ts'
import { deleteProfileField, getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { getPushRules } from '#api/client/pushrules.ts'
import { setReadMarker } from '#api/client/read-markers.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { refresh } from '#api/client/refresh.ts'
import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import { registrationTokenValidity } from '#api/client/registration-tokens.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import {
  getJoinedMembersByRoom,
  getMembersByRoom,
  getOneRoomEvent,
  getRoomState,
  getRoomStateWithKey,
} from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import { deleteRoomTag, getRoomTags, setRoomTag } from '#api/client/tags.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { setTyping } from '#api/client/typing.ts'
import { getVersions } from '#api/client/versions.ts'
import { getWellknown } from '#api/client/wellknown.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { Endpoint } from './endpoint.ts'
import { getHealth } from './health.ts'
import { getMetrics } from './metrics.ts'

/** Every endpoint that is declared. */
export const endpoints: readonly Endpoint[] = [
  getAccountData,
  setAccountData,
  getAccountDataPerRoom,
  setAccountDataPerRoom,
  getConfigAuthed,
  getContentAuthed,
  getContentOverrideNameAuthed,
  ban,
  unban,
  getCapabilities,
  uploadContent,
  createRoom,
  uploadCrossSigningKeys,
  uploadCrossSigningSignatures,
  getDevices,
  getDevice,
  updateDevice,
  deleteDevice,
  deleteDevices,
  getRoomIdByAlias,
  setRoomAlias,
  deleteRoomAlias,
  getLocalAliases,
  getEventContext,
  defineFilter,
  getFilter,
  inviteUser,
  joinRoom,
  joinRoomById,
  putRoomKeys,
  getRoomKeys,
  deleteRoomKeys,
  putRoomKeysByRoomId,
  getRoomKeysByRoomId,
  deleteRoomKeysByRoomId,
  putRoomKeyBySessionId,
  getRoomKeyBySessionId,
  deleteRoomKeyBySessionId,
  postRoomKeysVersion,
  getRoomKeysVersionCurrent,
  getRoomKeysVersion,
  putRoomKeysVersion,
  deleteRoomKeysVersion,
  uploadKeys,
  queryKeys,
  claimKeys,
  getKeysChanges,
  kick,
  leaveRoom,
  forgetRoom,
  getJoinedRooms,
  getLoginFlows,
  login,
  generateLoginToken,
  logout,
  logoutAll,
  getRoomEvents,
  changePassword,
  getUserProfile,
  getProfileField,
  setProfileField,
  deleteProfileField,
  getPushRules,
  setReadMarker,
  postReceipt,
  redactEvent,
  refresh,
  register,
  checkUsernameAvailability,
  registrationTokenValidity,
  sendMessage,
  setRoomStateWithKey,
  getOneRoomEvent,
  getRoomStateWithKey,
  getRoomState,
  getMembersByRoom,
  getJoinedMembersByRoom,
  sync,
  getRoomTags,
  setRoomTag,
  deleteRoomTag,
  sendToDevice,
  setTyping,
  getVersions,
  getWellknown,
  getTokenOwner,
  getRegistrationNonce,
  registerWithSharedSecret,
  getHealth,
  getMetrics,
]
