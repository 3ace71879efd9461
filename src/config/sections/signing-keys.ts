import { join } from 'node:path'
import { path, text, whole } from '#config/kinds.ts'
import { derive, mapOf, object, option } from '#config/option.ts'
import { section } from '#config/section.ts'

/** A key that this server signed with once, and that others may still need to check what it signed. */
export type OldSigningKey = {
  /** `ed25519:name`. */
  readonly keyId: string
  /** 32 bytes in base64 without padding. */
  readonly publicKey: string
  readonly expiredTs: number
}

const publicKey = derive(text(), (written, fail) => {
  const key = written.replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]{43}$/.test(key)) fail('Expected a public key: 32 bytes in base64.')
  return key
})

const oldKeys = derive(
  mapOf(
    object({
      publicKey: option('key', publicKey, { required: true, doc: 'The public key, in base64.' }),
      expiredTs: option('expired_ts', whole({ min: 0 }), {
        required: true,
        doc: 'When it stopped being used, in milliseconds since 1970.',
      }),
    }),
    'public keys by their IDs',
  ),
  (keys, fail): readonly OldSigningKey[] => {
    for (const keyId of Object.keys(keys))
      if (!/^ed25519:[A-Za-z0-9_]+$/.test(keyId)) fail('Expected the ID of a key, such as ed25519:a_AbCd.', keyId)
    return Object.entries(keys).map(([keyId, key]) => ({ keyId, ...key }))
  },
)

/** The keys that the server signs with. */
export const signingKeys = section(
  {
    title: 'Signing keys',
    doc: 'What the server signs its events and requests with. Whoever has the key can speak for the server.',
  },
  {
    path: option('signing_key_path', path(), {
      doc: 'The file with the key. Without it, `<server_name>.signing.key` beside the configuration. A missing file is made at the first start. The files of Synapse can be used as they are.',
    }),
    old: option('old_signing_keys', oldKeys, {
      default: {},
      doc: 'Keys that were used before, so that others can still check what was signed with them. `myelin export-signing-key -x` prints such entries.',
    }),
  },
  (values, context) => ({
    old: values.old,
    path: values.path ?? join(context.configDirectory, `${context.serverName}.signing.key`),
  }),
)
