import { describe } from 'node:test'
import { testKey } from '#protocol/events/signed-event.testing.ts'
import { signJson } from '#protocol/signing/sign-json.ts'
import type { JsonObject } from '#util/json.ts'
import { membership, type Row, stateOf, testRows } from './auth-room.testing.ts'

const identity = testKey('id')
const other = testKey('other')
const unsigned = { mxid: '@new:x', token: 'token' }
const signed = signJson(unsigned, 'id.example.org', identity)
const thirdParty = (content: object, sender = '@alice:x') => [
  { ...stateOf('m.room.third_party_invite', content as JsonObject, 'token'), sender },
]
const usual = thirdParty({ public_key: identity.publicKeyBase64 })
const invite = (third_party_invite: unknown, user = '@new:x', sender = '@alice:x') =>
  membership(user, 'invite', { sender, content: { third_party_invite } as never })
const row = (name: string, number: number | 'allowed', event: Row['event'], state: Row['state'] = usual): Row => ({
  name,
  event,
  state,
  verdict: number === 'allowed' ? 'allowed' : (page) => `${page.invite}.1.${number}`,
})
const rightSignature = signed['signatures'] as { 'id.example.org': Record<string, string> }
const [right] = Object.values(rightSignature['id.example.org'])
/** The key that has signed comes after so many others. */
const lateKey = (others: number) => {
  const keys = Array.from({ length: others }, (_, i) => testKey(`k${i}`).publicKeyBase64)
  return thirdParty({ public_keys: [...keys, identity.publicKeyBase64].map((public_key) => ({ public_key })) })
}
const urlSafe = identity.publicKeyBase64.replaceAll('+', '-').replaceAll('/', '_')

describe('an invite that follows from a third-party invite', () => {
  testRows([
    row('is allowed when its key has signed', 'allowed', invite({ display_name: 'N', signed })),
    row(
      'is allowed by a key of the list',
      'allowed',
      invite({ signed }),
      thirdParty({ public_key: other.publicKeyBase64, public_keys: [1, {}, { public_key: identity.publicKeyBase64 }] }),
    ),
    row(
      'is allowed by a key in the URL-safe alphabet',
      'allowed',
      invite({ signed }),
      thirdParty({ public_key: urlSafe }),
    ),
    row(
      'is allowed when one signature of many is right',
      'allowed',
      invite({ signed: signJson(signed, 'id.example.org', other) }),
    ),
    row(
      'is allowed when its sender is no member any more',
      'allowed',
      invite({ signed }, '@new:x', '@left:x'),
      thirdParty({ public_key: identity.publicKeyBase64 }, '@left:x'),
    ),
    row(
      'is refused to a banned user',
      1,
      invite({ signed: signJson({ ...unsigned, mxid: '@banned:x' }, 'i', identity) }, '@banned:x'),
    ),
    row('is refused when nothing is signed', 2, invite({ display_name: 'N' })),
    row('is refused when it is no object', 2, invite(null)),
    row('is refused when what is signed is no object', 2, invite({ signed: 'x' })),
    row('is refused without a token', 3, invite({ signed: { mxid: '@new:x' } })),
    row('is refused without a user', 3, invite({ signed: { token: 'token' } })),
    row('is refused for another user', 4, invite({ signed }, '@someone:x')),
    row(
      'is refused when the room does not know the token',
      5,
      invite({ signed: signJson({ ...unsigned, token: 'x' }, 'i', identity) }),
    ),
    row('is refused when another user sent the third-party invite', 6, invite({ signed }, '@new:x', '@mod:x')),
    row('is refused when another key has signed', 8, invite({ signed: signJson(unsigned, 'i', other) })),
    row('is refused when nobody has signed', 8, invite({ signed: unsigned })),
    row(
      'is refused when the signature is of an algorithm that nobody understands',
      8,
      invite({ signed: { ...unsigned, signatures: { 'id.example.org': { 'rsa:1': right ?? '' } } } }),
    ),
    { ...row('is allowed by the 256th key', 'allowed', invite({ signed }), lateKey(255)), versions: ['12'] },
    { ...row('is refused when only a later key has signed', 8, invite({ signed }), lateKey(256)), versions: ['12'] },
    row('is refused when the third-party invite has no key', 8, invite({ signed }), thirdParty({})),
    row('is refused when what was signed has changed', 8, invite({ signed: { ...signed, more: 1 } })),
    row(
      'is refused when keys and signatures are of odd types',
      8,
      invite({
        signed: {
          ...unsigned,
          signatures: { a: 1, n: null, s: 'xy', b: { 'ed25519:1': 1, 'ed25519:2': 'x', 'rsa:1': 'x' } },
        },
      }),
      thirdParty({ public_key: 1, public_keys: ['x', { public_key: 'x' }] }),
    ),
    row(
      'is refused when there are very many keys and signatures, none of them right',
      8,
      invite({
        signed: {
          ...unsigned,
          signatures: {
            a: Object.fromEntries(
              Array.from({ length: 300 }, (_, i) => [`ed25519:${i}`, 'A'.repeat(84) + String(i).padStart(2, '0')]),
            ),
          },
        },
      }),
      thirdParty({
        public_keys: Array.from({ length: 300 }, (_, i) => ({ public_key: testKey(`k${i}`).publicKeyBase64 })),
      }),
    ),
  ])
})
