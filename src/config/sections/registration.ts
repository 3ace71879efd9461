import { flag } from '#config/kinds.ts'
import { option, secret } from '#config/option.ts'
import { section } from '#config/section.ts'

/** The secret that makes accounts from outside. */
export const sharedSecret = secret('registration_shared_secret', {
  isMadeWhenMissing: true,
  doc: 'Whoever knows this can make accounts, also for administrators, even while registration is closed: `register_new_matrix_user` does. A file named by the `_path` twin is made where it is missing.',
})

/** Who may make accounts. */
export const registration = section(
  { title: 'Registration', doc: 'Who may make accounts on this server.' },
  {
    isEnabled: option('enable_registration', flag(), { default: false, doc: 'Anybody may make an account.' }),
    isOpenWithoutVerification: option('enable_registration_without_verification', flag(), {
      default: false,
      doc: 'Confirms that accounts are to be made without a token or any other check. Open registration without a check is refused otherwise, since such servers are soon full of spam.',
    }),
    isTokenRequired: option('registration_requires_token', flag(), {
      default: false,
      doc: 'Who makes an account needs a token that an administrator has issued.',
    }),
    sharedSecret,
    areGuestsAllowed: option('allow_guest_access', flag(), {
      default: false,
      doc: 'Guests may look into rooms that admit them, without an account.',
    }),
    isUserInUseErrorHidden: option('inhibit_user_in_use_error', flag(), {
      default: false,
      doc: 'Do not say while an account is being made whether its name is taken; only at the end.',
    }),
  },
  (values, context) => {
    if (!values.isEnabled || values.isTokenRequired) return values
    const unmet = ['enable_registration_captcha', 'registrations_require_3pid'].filter((key) => {
      const written = context.given(key)
      return written === true || (Array.isArray(written) && written.length > 0)
    })
    for (const key of unmet)
      context.fail(
        [key],
        'Myelin cannot check this yet, so that registration would be open: require a token, or close it.',
      )
    if (!values.isOpenWithoutVerification && unmet.length === 0)
      context.fail(
        ['enable_registration'],
        'Registration would be open to everybody without any check, which draws spam. Set registration_requires_token, or if that is what you want, enable_registration_without_verification.',
      )
    return values
  },
)
