import { rateLimit } from '#config/kinds.ts'
import { notYet, object, option } from '#config/option.ts'
import { section } from '#config/section.ts'

/** How often something may be done. The numbers are Synapse's. */
export const rateLimits = section(
  {
    title: 'Rate limits',
    doc: 'How often something may be done: `per_second` on average, `burst_count` at once. Who asks too often is told when to try again.',
  },
  {
    message: option('rc_message', rateLimit(0.2, 10), { default: {}, doc: 'Sending events, for each sender.' }),
    registration: option('rc_registration', rateLimit(0.17, 3), {
      default: {},
      doc: 'Registering accounts, for each address of a client.',
    }),
    registrationTokenValidity: option('rc_registration_token_validity', rateLimit(0.1, 5), {
      default: {},
      doc: 'Asking whether a registration token is valid, for each address of a client.',
    }),
    login: option(
      'rc_login',
      object({
        address: option('address', rateLimit(0.003, 5), { default: {}, doc: 'For each address of a client.' }),
        account: option('account', rateLimit(0.003, 5), { default: {}, doc: 'For each account.' }),
        failedAttempts: option('failed_attempts', rateLimit(0.17, 3), {
          default: {},
          doc: 'For each account, counting only attempts that failed.',
        }),
      }),
      { default: {}, doc: 'Logging in.' },
    ),
    joins: option(
      'rc_joins',
      object(
        {
          local: option('local', rateLimit(0.1, 10), { default: {}, doc: 'Rooms that this server is in.' }),
        },
        [notYet('remote', 'no rooms are fetched from other servers.')],
      ),
      { default: {}, doc: 'Joining rooms, for each user.' },
    ),
    joinsPerRoom: option('rc_joins_per_room', rateLimit(1, 10), {
      default: {},
      doc: 'Joining one room, for all users together.',
    }),
    invites: option(
      'rc_invites',
      object({
        perRoom: option('per_room', rateLimit(0.3, 10), { default: {}, doc: 'Into one room.' }),
        perUser: option('per_user', rateLimit(0.003, 5), { default: {}, doc: 'To one user.' }),
        perIssuer: option('per_issuer', rateLimit(0.3, 10), {
          default: {},
          doc: 'By one user, also those that come with a new room.',
        }),
      }),
      { default: {}, doc: 'Inviting.' },
    ),
    roomCreation: option('rc_room_creation', rateLimit(0.016, 10), {
      default: {},
      doc: 'Creating rooms, for each user.',
    }),
    keyRequests: option('rc_key_requests', rateLimit(20, 100), {
      default: {},
      doc: 'Asking others for encryption keys, for each device.',
    }),
    adminRedaction: option('rc_admin_redaction', rateLimit(0.2, 10), {
      doc: 'Redactions by the moderators of a room, for each of them. Left out, they count as messages under `rc_message`.',
    }),
  },
)
