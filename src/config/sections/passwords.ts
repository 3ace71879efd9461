import { flag, understood, whole } from '#config/kinds.ts'
import { object, option, secret } from '#config/option.ts'
import { section } from '#config/section.ts'

/** `onlyForReauth`: a password confirms something sensitive, but does not log in. */
export type PasswordUse = 'always' | 'onlyForReauth' | 'never'

const use = understood('true, false or only_for_reauth', (value): PasswordUse | undefined => {
  if (typeof value === 'boolean') return value ? 'always' : 'never'
  return value === 'only_for_reauth' ? 'onlyForReauth' : undefined
})

const policy = object({
  isEnabled: option('enabled', flag(), { default: false, doc: 'New passwords must be as said here.' }),
  minLength: option('minimum_length', whole({ min: 0 }), { default: 0, doc: 'The fewest characters.' }),
  isDigitRequired: option('require_digit', flag(), { default: false, doc: 'A digit must be in it.' }),
  isSymbolRequired: option('require_symbol', flag(), {
    default: false,
    doc: 'Something that is neither a letter nor a digit must be in it.',
  }),
  isLowercaseRequired: option('require_lowercase', flag(), { default: false, doc: 'A small letter must be in it.' }),
  isUppercaseRequired: option('require_uppercase', flag(), { default: false, doc: 'A capital letter must be in it.' }),
})

/** Passwords: whether, how good, and how they are kept. */
export const passwords = section(
  { title: 'Passwords', doc: 'Whether passwords are used, how good they must be, and how they are kept.' },
  {
    config: option(
      'password_config',
      object({
        use: option('enabled', use, {
          default: true,
          doc: 'Users log in with a password; with `only_for_reauth` they cannot log in with it, but confirm something sensitive.',
        }),
        isLocalDatabaseUsed: option('localdb_enabled', flag(), {
          default: true,
          doc: 'Passwords are compared with those that this server keeps.',
        }),
        pepper: secret('pepper', {
          doc: 'Appended to every password before it is hashed, so that a stolen database alone does not give the passwords away. Once set it must never change: nobody could log in any more.',
        }),
        policy: option('policy', policy, { default: {}, doc: 'What a new password must be like.' }),
      }),
      { default: {}, doc: 'Everything about passwords but the rounds.' },
    ),
    bcryptRounds: option('bcrypt_rounds', whole({ min: 4, max: 31 }), {
      default: 12,
      doc: 'How costly it is to hash a password, and to guess one. Each more doubles it.',
    }),
  },
  ({ config, bcryptRounds }) => ({ ...config, pepper: config.pepper ?? '', bcryptRounds }),
)
