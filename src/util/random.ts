import { randomBytes } from 'node:crypto'

/** Where randomness comes from. Handed in, so that tests can choose it. */
export type Random = {
  /** `size` unpredictable bytes. */
  readonly bytes: (size: number) => Uint8Array
}

/** The operating system's randomness. */
export const systemRandom: Random = { bytes: (size) => randomBytes(size) }

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LOWER_ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `length` unpredictable ASCII letters (5.7 bits each). */
export const randomLetters = (random: Random, length: number): string => pick(random, length, LETTERS)
/** `length` unpredictable characters of `a-z0-9` (5.2 bits each). */
export const randomLowerAlphanumeric = (random: Random, length: number): string =>
  pick(random, length, LOWER_ALPHANUMERIC)

/** Bytes at or above the largest multiple of the alphabet's size are dropped, so that every letter is as likely. */
function pick(random: Random, length: number, alphabet: string): string {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length + 8)) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}
