import { uploadCrossSigningKeys, uploadCrossSigningSignatures } from '#api/client/cross-signing.ts'
import { type Route, route } from '#http/server/route.ts'
import type { CrossSigning } from '#services/encryption/cross-signing.ts'
import type { KeySignatures } from '#services/encryption/key-signatures.ts'

type Services = { readonly crossSigning: CrossSigning; readonly keySignatures: KeySignatures }

/** Keys that vouch for devices and users. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export const crossSigningRoutes = ({ crossSigning, keySignatures }: Services): Route[] => [
  route(uploadCrossSigningKeys, async ({ requester, body }) => {
    const keys = {
      master: body.master_key,
      self_signing: body.self_signing_key,
      user_signing: body.user_signing_key,
    }
    await crossSigning.upload(requester, { keys, auth: body.auth })
    return {}
  }),
  route(uploadCrossSigningSignatures, async ({ requester, body }) => ({
    failures: await keySignatures.upload(requester, body),
  })),
]
