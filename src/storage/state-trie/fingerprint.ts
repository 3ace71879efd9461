import type { Difference } from './difference.ts'

/** 16 bytes that are equal for equal states of a room, however they were reached. */
export type Fingerprint = Uint8Array

/** ChaCha's rounds. Nobody outside sees a fingerprint, and no attack reaches 8. */
const ROUNDS = 8

/** The fingerprint of the state without entries. */
export const emptyFingerprint = (): Fingerprint => new Uint8Array(16)

/**
 * Makes fingerprints: four 32-bit sums over a keyed hash of each (room, key, value), so that a change takes one step and order does not
 * matter. The hash is the ChaCha8 block of the deployment's secret key: without the key, equal sums cannot be made.
 */
export class Fingerprints {
  readonly #key: Int32Array
  readonly #block = new Int32Array(16)

  /** `secret`: the deployment's 32 bytes. */
  constructor(secret: Uint8Array) {
    if (secret.length !== 32) throw new Error(`the fingerprint key must have 32 bytes, not ${secret.length}`)
    this.#key = wordsOf(secret)
  }

  /** The fingerprint of a state of the room: the value of each key, 0 for none. */
  of(room: number, entries: Uint32Array): Fingerprint {
    const sums = new Int32Array(4)
    for (let key = 0; key < entries.length; key++) {
      const value = entries[key] as number
      if (value !== 0) this.#add({ sums, room, sign: 1 }, key, value)
    }
    return bytesOf(sums)
  }

  /** The fingerprint of a state that differs so from the one that `before` stands for. */
  after(room: number, before: Fingerprint, differences: readonly Difference[]): Fingerprint {
    const sums = wordsOf(before)
    for (const { key, before: old, after } of differences) {
      if (old !== 0) this.#add({ sums, room, sign: -1 }, key, old)
      if (after !== 0) this.#add({ sums, room, sign: 1 }, key, after)
    }
    return bytesOf(sums)
  }

  #add({ sums, room, sign }: { sums: Int32Array; room: number; sign: 1 | -1 }, key: number, value: number): void {
    const block = this.#block
    chachaBlock(block, this.#key, [key, value, room, 0])
    for (let lane = 0; lane < 4; lane++) sums[lane] = (sums[lane] as number) + sign * (block[lane] as number)
  }
}

/** The words that are hashed: they stand where ChaCha has its counter and nonce. */
type Hashed = readonly [number, number, number, number]
/** "expand 32-byte k" */
const CONSTANTS: Hashed = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

/** ChaCha's block function (RFC 8439, section 2.3): writes 16 words into `block`. */
export const chachaBlock = (block: Int32Array, key: Int32Array, input: Hashed, rounds = ROUNDS): void => {
  block.set(CONSTANTS, 0)
  block.set(key, 4)
  block.set(input, 12)
  for (let round = 0; round < rounds; round += 2) {
    for (let column = 0; column < 4; column++) quarterRound(block, column, 0)
    for (let diagonal = 0; diagonal < 4; diagonal++) quarterRound(block, diagonal, 1)
  }
  for (let word = 0; word < 4; word++) {
    block[word] = (block[word] as number) + (CONSTANTS[word] as number)
    block[word + 4] = (block[word + 4] as number) + (key[word] as number)
    block[word + 8] = (block[word + 8] as number) + (key[word + 4] as number)
    block[word + 12] = (block[word + 12] as number) + (input[word] as number)
  }
}

/** Mixes one word of each row, `turn` further in each than in the one above. */
function quarterRound(block: Int32Array, atA: number, turn: 0 | 1): void {
  const atB = 4 + ((atA + turn) & 3)
  const atC = 8 + ((atA + 2 * turn) & 3)
  const atD = 12 + ((atA + 3 * turn) & 3)
  let a = block[atA] as number
  let b = block[atB] as number
  let c = block[atC] as number
  let d = block[atD] as number
  a = (a + b) | 0
  d = rotated(d ^ a, 16)
  c = (c + d) | 0
  b = rotated(b ^ c, 12)
  a = (a + b) | 0
  d = rotated(d ^ a, 8)
  c = (c + d) | 0
  b = rotated(b ^ c, 7)
  block[atA] = a
  block[atB] = b
  block[atC] = c
  block[atD] = d
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/** Lowest byte first. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(bytes.length / 4)
  for (let at = 0; at < bytes.length; at++) {
    words[at >>> 2] = (words[at >>> 2] as number) | ((bytes[at] as number) << ((at & 3) * 8))
  }
  return words
}

function bytesOf(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (words[at >>> 2] as number) >>> ((at & 3) * 8)
  return bytes
}
