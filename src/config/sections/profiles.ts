import { flag } from '#config/kinds.ts'
import { option } from '#config/option.ts'
import { section } from '#config/section.ts'

/** Display names and avatars. */
export const profiles = section(
  { title: 'Profiles', doc: 'Display names and avatars: who may see them, and who may change them.' },
  {
    isAuthenticationRequired: option('require_auth_for_profile_requests', flag(), {
      default: false,
      doc: 'Profiles are shown only to those who are logged in here, and to other servers.',
    }),
    maySetDisplayName: option('enable_set_displayname', flag(), {
      default: true,
      doc: 'Users may change their display name. Administrators of the server always may.',
    }),
    maySetAvatarUrl: option('enable_set_avatar_url', flag(), {
      default: true,
      doc: 'Users may change their avatar. Administrators of the server always may.',
    }),
  },
)
