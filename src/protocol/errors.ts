import type { JsonObject } from '#util/json.ts'
import { type Errcode, errcodes } from './errcodes.ts'

/** What else belongs to an error, beside its code and text. */
export type ErrorDetails = {
  /** Further fields of the answer, by their names on the wire. */
  readonly fields?: JsonObject
  /** Replaces the usual status of the code. */
  readonly status?: number
  /** What led to it, for the log; it never leaves the server. */
  readonly cause?: unknown
}

/**
 * An error as Matrix clients and servers see it, and nothing they should not see. Thrown by services, made by the
 * functions below, turned into an answer in one place. https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
export class MatrixError extends Error {
  override readonly name = 'MatrixError'
  /** The HTTP status. */
  readonly status: number
  readonly errcode: Errcode
  /** A sentence for a human: what was expected, and what came. */
  readonly error: string
  readonly fields: JsonObject

  constructor(errcode: Errcode, error: string, details: ErrorDetails = {}) {
    super(error, details.cause === undefined ? undefined : { cause: details.cause })
    this.status = details.status ?? errcodes[errcode].status
    this.errcode = errcode
    this.error = error
    this.fields = details.fields ?? {}
  }

  /** The body of the answer. */
  toJSON(): JsonObject {
    return { ...this.fields, errcode: this.errcode, error: this.error }
  }
}

/**
 * 401: interactive authentication is not over. `body` says what is left to do; a stage that failed is told beside it, and only then is there
 * an `errcode`. https://spec.matrix.org/v1.19/client-server-api/#user-interactive-api-in-the-rest-api
 */
export class InteractionNeeded extends MatrixError {
  readonly #hasFailed: boolean

  constructor(body: JsonObject, failure?: MatrixError) {
    super(failure?.errcode ?? 'M_FORBIDDEN', failure?.error ?? 'Interactive authentication is needed', {
      status: 401,
      fields: { ...failure?.fields, ...body },
    })
    this.#hasFailed = failure !== undefined
  }

  override toJSON(): JsonObject {
    return this.#hasFailed ? super.toJSON() : this.fields
  }
}

type ErrorMaker = (error: string, details?: ErrorDetails) => MatrixError
const maker =
  (errcode: Errcode): ErrorMaker =>
  (error, details) =>
    new MatrixError(errcode, error, details)

// The common codes.
/** 400: JSON, but not what was asked for. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const badJson = maker('M_BAD_JSON')
/** 403: not allowed. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const forbidden = maker('M_FORBIDDEN')
/** 401: no access token. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const missingToken = maker('M_MISSING_TOKEN')
/** 404: not there, or not for this one to see. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const notFound = maker('M_NOT_FOUND')
/** 400: not JSON at all. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const notJson = maker('M_NOT_JSON')
/** 500 unless `status` says otherwise: anything that has no code of its own. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const unknown = maker('M_UNKNOWN')
/** 400: the device is none of the user an application service speaks for. https://spec.matrix.org/v1.19/application-service-api/#identity-assertion */
export const unknownDevice = maker('M_UNKNOWN_DEVICE')
/** 404: no such endpoint. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const unrecognized = maker('M_UNRECOGNIZED')
/** 405: the endpoint is there, but not by this method. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const methodNotAllowed = (error: string): MatrixError =>
  new MatrixError('M_UNRECOGNIZED', error, { status: 405 })
/** 403: the account is suspended and may not do this. https://spec.matrix.org/v1.19/client-server-api/#account-suspension */
export const userSuspended = maker('M_USER_SUSPENDED')

/** 401: the account is locked; the client is to keep what it has. https://spec.matrix.org/v1.19/client-server-api/#account-locking */
export const userLocked = (error = 'This account has been locked'): MatrixError =>
  new MatrixError('M_USER_LOCKED', error, { fields: { soft_logout: true } })

/** 401: the token is not known, or not any more. With `softLogout` the client keeps its data and logs in again. https://spec.matrix.org/v1.19/client-server-api/#soft-logout */
export const unknownToken = ({ softLogout = false, error = 'The access token is not known' } = {}): MatrixError =>
  new MatrixError('M_UNKNOWN_TOKEN', error, { fields: { soft_logout: softLogout } })

/** 429: too many requests; the answer also carries the time as `Retry-After`. https://spec.matrix.org/v1.19/client-server-api/#rate-limiting */
export const limitExceeded = ({ retryAfterMs }: { readonly retryAfterMs: number }): MatrixError =>
  new MatrixError('M_LIMIT_EXCEEDED', 'Too many requests, please wait a moment', {
    fields: { retry_after_ms: Math.max(0, Math.ceil(retryAfterMs)) },
  })

/** 403: the server has reached a limit; `adminContact` is a URI. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const resourceLimitExceeded = (
  error: string,
  { adminContact }: { readonly adminContact: string },
): MatrixError => new MatrixError('M_RESOURCE_LIMIT_EXCEEDED', error, { fields: { admin_contact: adminContact } })

/** 403 unless `status` says otherwise: the user has reached a limit, which `infoUri` explains. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const userLimitExceeded = (
  error: string,
  about: { readonly infoUri: string; readonly canUpgrade?: boolean; readonly status?: number },
): MatrixError =>
  new MatrixError('M_USER_LIMIT_EXCEEDED', error, {
    fields: { info_uri: about.infoUri, can_upgrade: about.canUpgrade ?? false },
    ...(about.status === undefined ? {} : { status: about.status }),
  })

// Parameters.
/** 400: a parameter has a value it cannot have. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const invalidParam = maker('M_INVALID_PARAM')
/** 400: a parameter is missing. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const missingParam = maker('M_MISSING_PARAM')
/** 413: the request or the thing is too large. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const tooLarge = maker('M_TOO_LARGE')

// Accounts.
/** 400: an application service owns it, or does not. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const exclusive = maker('M_EXCLUSIVE')
/** 400: not a user ID that can be registered. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const invalidUsername = maker('M_INVALID_USERNAME')
/** 400: the user ID is taken. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const userInUse = maker('M_USER_IN_USE')
/** 403: the account was deactivated. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const userDeactivated = maker('M_USER_DEACTIVATED')
/** 400: the password is too easy to guess. https://spec.matrix.org/v1.19/client-server-api/#password-management */
export const weakPassword = maker('M_WEAK_PASSWORD')
/** 401: not logged in well enough. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const unauthorized = maker('M_UNAUTHORIZED')
/** 403: guests may not. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const guestAccessForbidden = maker('M_GUEST_ACCESS_FORBIDDEN')
/** 400: a captcha is needed. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const captchaNeeded = maker('M_CAPTCHA_NEEDED')
/** 400: the captcha was not solved. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const captchaInvalid = maker('M_CAPTCHA_INVALID')
/** 400: this server has no legacy login for application services to use. https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions */
export const appserviceLoginUnsupported = maker('M_APPSERVICE_LOGIN_UNSUPPORTED')

// Third-party identifiers.
/** 400: nobody has this address here. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const threepidNotFound = maker('M_THREEPID_NOT_FOUND')
/** 400: somebody has this address already. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const threepidInUse = maker('M_THREEPID_IN_USE')
/** 403: this address may not be used here. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const threepidDenied = maker('M_THREEPID_DENIED')
/** 403: the address could not be proven. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const threepidAuthFailed = maker('M_THREEPID_AUTH_FAILED')
/** 400: this kind of address is not supported. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const threepidMediumNotSupported = maker('M_THREEPID_MEDIUM_NOT_SUPPORTED')
/** 400: the identity server is not one that is trusted here. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const serverNotTrusted = maker('M_SERVER_NOT_TRUSTED')

// Rooms.
/** 400: the alias is taken. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const roomInUse = maker('M_ROOM_IN_USE')
/** 400: the initial state of the room cannot be. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const invalidRoomState = maker('M_INVALID_ROOM_STATE')
/** 400: an alias does not lead to the room. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
export const badAlias = maker('M_BAD_ALIAS')
/** 403: the state cannot change in this way. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const badState = maker('M_BAD_STATE')
/** 400: a room of this version cannot be made here. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const unsupportedRoomVersion = maker('M_UNSUPPORTED_ROOM_VERSION')
/** 400: the room has a version that the one who asks does not know. https://spec.matrix.org/v1.19/client-server-api/#other-error-codes */
export const incompatibleRoomVersion = (error: string, roomVersion: string): MatrixError =>
  new MatrixError('M_INCOMPATIBLE_ROOM_VERSION', error, { fields: { room_version: roomVersion } })
/** 400: the conditions of a restricted join cannot be checked here. https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms */
export const unableToAuthoriseJoin = maker('M_UNABLE_TO_AUTHORISE_JOIN')
/** 400: nobody here may let the user join. https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms */
export const unableToGrantJoin = maker('M_UNABLE_TO_GRANT_JOIN')
/** 403: the user does not want invitations. https://spec.matrix.org/v1.19/client-server-api/#invite-permission */
export const inviteBlocked = maker('M_INVITE_BLOCKED')
/** 403: the room with notices of the server cannot be left. https://spec.matrix.org/v1.19/client-server-api/#server-notices */
export const cannotLeaveServerNoticeRoom = maker('M_CANNOT_LEAVE_SERVER_NOTICE_ROOM')
/** 400: the same reaction of the same user is there already. https://spec.matrix.org/v1.19/client-server-api/#event-annotations-and-reactions */
export const duplicateAnnotation = maker('M_DUPLICATE_ANNOTATION')

// Profiles, keys, media.
/** 400: a profile would be larger than 64 KiB. https://spec.matrix.org/v1.19/client-server-api/#profiles */
export const profileTooLarge = maker('M_PROFILE_TOO_LARGE')
/** 400: the name of a profile field is too long. https://spec.matrix.org/v1.19/client-server-api/#profiles */
export const keyTooLarge = maker('M_KEY_TOO_LARGE')
/** 400: a signature does not verify. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export const invalidSignature = maker('M_INVALID_SIGNATURE')
/** 403: the backup has a newer version. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export const wrongRoomKeysVersion = (error: string, currentVersion: string): MatrixError =>
  new MatrixError('M_WRONG_ROOM_KEYS_VERSION', error, { fields: { current_version: currentVersion } })
/** 409: the media is there already. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
export const cannotOverwriteMedia = maker('M_CANNOT_OVERWRITE_MEDIA')
/** 504: the media is not there yet. https://spec.matrix.org/v1.19/client-server-api/#content-repository */
export const notYetUploaded = maker('M_NOT_YET_UPLOADED')

// Pings of application services.
/** 400: the application service has no URL. https://spec.matrix.org/v1.19/application-service-api/#pinging */
export const urlNotSet = maker('M_URL_NOT_SET')
/** 502: the application service cannot be reached. https://spec.matrix.org/v1.19/application-service-api/#pinging */
export const connectionFailed = maker('M_CONNECTION_FAILED')
/** 504: the application service did not answer in time. https://spec.matrix.org/v1.19/application-service-api/#pinging */
export const connectionTimeout = maker('M_CONNECTION_TIMEOUT')
/** 502: the application service answered with `answer.status`. https://spec.matrix.org/v1.19/application-service-api/#pinging */
export const badStatus = (error: string, answer: { readonly status: number; readonly body: string }): MatrixError =>
  new MatrixError('M_BAD_STATUS', error, { fields: { status: answer.status, body: answer.body } })
