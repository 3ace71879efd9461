import { claimKeys, getKeysChanges, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { DeviceLists } from '#services/encryption/device-lists.ts'
import type { KeyClaims } from '#services/encryption/key-claims.ts'
import type { KeyQueries } from '#services/encryption/key-queries.ts'
import type { KeyUploads } from '#services/encryption/key-uploads.ts'

type Services = {
  readonly keyUploads: KeyUploads
  readonly keyQueries: KeyQueries
  readonly keyClaims: KeyClaims
  readonly deviceLists: DeviceLists
}

/** Keys of devices: uploading, asking for, claiming them. https://spec.matrix.org/v1.19/client-server-api/#key-management-api */
export const keysRoutes = ({ keyUploads, keyQueries, keyClaims, deviceLists }: Services): Route[] => [
  route(uploadKeys, async ({ requester, body }) => ({
    one_time_key_counts: await keyUploads.upload(requester, {
      deviceKeys: body.device_keys,
      oneTimeKeys: body.one_time_keys,
      fallbackKeys: body.fallback_keys ?? body['org.matrix.msc2732.fallback_keys'],
    }),
  })),
  route(queryKeys, async ({ requester, body }) => {
    const found = await keyQueries.query(requester, body.device_keys)
    const answer = {
      device_keys: found.deviceKeys,
      master_keys: found.masterKeys,
      self_signing_keys: found.selfSigningKeys,
      user_signing_keys: found.userSigningKeys,
      failures: found.failures,
    }
    return new JsonText(JSON.stringify(answer))
  }),
  route(claimKeys, async ({ body }) => {
    const { keys, failures } = await keyClaims.claim(body.one_time_keys)
    return new JsonText(JSON.stringify({ one_time_keys: keys, failures }))
  }),
  route(getKeysChanges, ({ requester, query }) => deviceLists.changes(requester, query)),
]
