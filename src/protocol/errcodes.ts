/** What is known of an error code: the HTTP status it comes with where an endpoint does not say otherwise, and where it is specified. */
export type ErrcodeInfo = { readonly status: number; readonly spec: string }

/** Every error code of the specification. https://spec.matrix.org/v1.19/client-server-api/#standard-error-response */
export const errcodes = {
  // The common codes.
  M_BAD_JSON: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_FORBIDDEN: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_LIMIT_EXCEEDED: { status: 429, spec: 'https://spec.matrix.org/v1.19/client-server-api/#rate-limiting' },
  M_MISSING_TOKEN: { status: 401, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_NOT_FOUND: { status: 404, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_NOT_JSON: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_RESOURCE_LIMIT_EXCEEDED: {
    status: 403,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes',
  },
  M_UNKNOWN: { status: 500, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_UNKNOWN_DEVICE: { status: 400, spec: 'https://spec.matrix.org/v1.19/application-service-api/#identity-assertion' },
  M_UNKNOWN_TOKEN: { status: 401, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_UNRECOGNIZED: { status: 404, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_USER_LIMIT_EXCEEDED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#common-error-codes' },
  M_USER_LOCKED: { status: 401, spec: 'https://spec.matrix.org/v1.19/client-server-api/#account-locking' },
  M_USER_SUSPENDED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#account-suspension' },
  // Those of certain client endpoints.
  M_APPSERVICE_LOGIN_UNSUPPORTED: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions',
  },
  M_BAD_ALIAS: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey',
  },
  M_BAD_STATE: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_BAD_STATUS: { status: 502, spec: 'https://spec.matrix.org/v1.19/application-service-api/#pinging' },
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: {
    status: 403,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#server-notices',
  },
  M_CANNOT_OVERWRITE_MEDIA: {
    status: 409,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid',
  },
  M_CAPTCHA_INVALID: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_CAPTCHA_NEEDED: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_CONNECTION_FAILED: { status: 502, spec: 'https://spec.matrix.org/v1.19/application-service-api/#pinging' },
  M_CONNECTION_TIMEOUT: { status: 504, spec: 'https://spec.matrix.org/v1.19/application-service-api/#pinging' },
  M_DUPLICATE_ANNOTATION: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations',
  },
  M_EXCLUSIVE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_GUEST_ACCESS_FORBIDDEN: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_INCOMPATIBLE_ROOM_VERSION: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes',
  },
  M_INVALID_PARAM: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_INVALID_ROOM_STATE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_INVALID_SIGNATURE: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload',
  },
  M_INVALID_USERNAME: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_INVITE_BLOCKED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#invite-permission' },
  M_KEY_TOO_LARGE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#profiles' },
  M_MISSING_PARAM: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_NOT_YET_UPLOADED: { status: 504, spec: 'https://spec.matrix.org/v1.19/client-server-api/#content-repository' },
  M_PROFILE_TOO_LARGE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#profiles' },
  M_ROOM_IN_USE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_SERVER_NOT_TRUSTED: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_THREEPID_AUTH_FAILED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_THREEPID_DENIED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_THREEPID_IN_USE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_THREEPID_MEDIUM_NOT_SUPPORTED: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes',
  },
  M_THREEPID_NOT_FOUND: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_TOO_LARGE: { status: 413, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_UNAUTHORIZED: { status: 401, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_UNSUPPORTED_ROOM_VERSION: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes',
  },
  M_URL_NOT_SET: { status: 400, spec: 'https://spec.matrix.org/v1.19/application-service-api/#pinging' },
  M_USER_DEACTIVATED: { status: 403, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_USER_IN_USE: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#other-error-codes' },
  M_WEAK_PASSWORD: { status: 400, spec: 'https://spec.matrix.org/v1.19/client-server-api/#password-management' },
  M_WRONG_ROOM_KEYS_VERSION: {
    status: 403,
    spec: 'https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups',
  },
  // Those of certain server endpoints.
  M_UNABLE_TO_AUTHORISE_JOIN: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms',
  },
  M_UNABLE_TO_GRANT_JOIN: { status: 400, spec: 'https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms' },
  // Those of identity servers, which may pass through.
  M_DESTINATION_REJECTED: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#phone-number-associations',
  },
  M_EMAIL_SEND_ERROR: {
    status: 500,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_INVALID_ADDRESS: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_INVALID_EMAIL: { status: 400, spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response' },
  M_INVALID_PEPPER: { status: 400, spec: 'https://spec.matrix.org/v1.19/identity-service-api/#association-lookup' },
  M_MISSING_PARAMS: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_NO_VALID_SESSION: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_SEND_ERROR: { status: 500, spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response' },
  M_SESSION_EXPIRED: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_SESSION_NOT_VALIDATED: {
    status: 400,
    spec: 'https://spec.matrix.org/v1.19/identity-service-api/#standard-error-response',
  },
  M_TERMS_NOT_SIGNED: { status: 403, spec: 'https://spec.matrix.org/v1.19/identity-service-api/#terms-of-service' },
  M_TOKEN_INCORRECT: { status: 400, spec: 'https://spec.matrix.org/v1.19/identity-service-api/#email-associations' },
} as const satisfies Readonly<Record<string, ErrcodeInfo>>

/** An error code of the specification. https://spec.matrix.org/v1.19/client-server-api/#standard-error-response */
export type Errcode = keyof typeof errcodes

/** Whether a text, such as another server's `errcode`, is an error code of the specification. */
export const isErrcode = (text: string): text is Errcode => Object.hasOwn(errcodes, text)
