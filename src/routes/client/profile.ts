import { deleteProfileField, getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { Profiles } from '#services/profiles/profiles.ts'

type Services = { readonly userProfiles: Profiles }

/** Profiles and their fields. https://spec.matrix.org/v1.19/client-server-api/#profiles */
export const profileRoutes = ({ userProfiles }: Services): Route[] => [
  route(getUserProfile, async ({ requester, params }) => {
    return new JsonText(JSON.stringify(await userProfiles.all(requester, params.userId)))
  }),
  route(getProfileField, async ({ requester, params: { userId, keyName } }) => {
    return userProfiles.field(requester, { userId, name: keyName })
  }),
  route(setProfileField, async ({ requester, params: { userId, keyName }, body }) => {
    await userProfiles.set(requester, { userId, name: keyName }, body)
    return {}
  }),
  route(deleteProfileField, async ({ requester, params: { userId, keyName } }) => {
    await userProfiles.remove(requester, { userId, name: keyName })
    return {}
  }),
]
