import { hash } from 'node:crypto'
import type { Random } from '#util/random.ts'

// Tokens as clients get them. We keep only hashes: whoever reads the database cannot use what stands there.

/** The hash by which a token, or a part of one, is kept. */
export const tokenHash = (token: string): Uint8Array => hash('sha256', token, 'buffer')

/** A token nobody can guess: 192 bits, with a prefix by which leaked ones are found. */
export const newToken = (random: Random, kind: 'access' | 'login'): string => `my${kind[0]}_${base64(random, 24)}`

const PREFIX = 'myr_'
const FAMILY_LENGTH = 22
const REFRESH = /^myr_[A-Za-z0-9_-]{54}$/

/** What the refresh tokens of one session have in common. */
export const newFamily = (random: Random): string => base64(random, 16)

/** A refresh token of a family, as unguessable as others. */
export const newRefreshToken = (random: Random, family: string): string => `${PREFIX}${family}${base64(random, 24)}`

/** The family of a refresh token; `undefined` for what is none of ours. */
export const familyOf = (token: string): string | undefined =>
  REFRESH.test(token) ? token.slice(PREFIX.length, PREFIX.length + FAMILY_LENGTH) : undefined

const base64 = (random: Random, bytes: number): string => Buffer.from(random.bytes(bytes)).toString('base64url')
