import { CorruptState, type StateAddress } from './corrupt-state.ts'

/** Reads bytes of a state from `at` to `end` and never beyond: what is cut short or too long is a `CorruptState`. */
export class ByteReader {
  readonly #address: StateAddress
  readonly #bytes: Uint8Array
  readonly #end: number
  at: number

  constructor(address: StateAddress, bytes: Uint8Array, [at, end]: readonly [number, number]) {
    this.#address = address
    this.#bytes = bytes
    this.at = at
    this.#end = end
    if (end > bytes.length || at > end) this.fail('it is cut short')
  }

  fail(reason: string): never {
    throw new CorruptState(this.#address, reason)
  }

  byte(): number {
    if (this.at >= this.#end) this.fail('it is cut short')
    return this.#bytes[this.at++] as number
  }

  /** A number below 2^32, seven bits a byte, lowest first. */
  varint(): number {
    let value = this.byte()
    if (value < 128) return value
    value &= 127
    for (let factor = 128; factor <= 2 ** 28; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value < 2 ** 32 ? value : this.fail('a number is too large')
    }
    return this.fail('a number is too long')
  }

  /** 32 bits, lowest byte first, as a signed integer. */
  bits(): number {
    return this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)
  }

  finish(): void {
    if (this.at !== this.#end) this.fail('there are bytes too many')
  }
}

/** Writes what `ByteReader` reads. */
export class ByteWriter {
  // Small numbers in an array cost less than a buffer of their own outside of the heap.
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  byte(value: number): void {
    this.#bytes.push(value)
  }

  /** A number below 2^32. */
  varint(value: number): void {
    let left = value
    while (left >= 128) {
      this.#bytes.push((left & 127) | 128)
      left >>>= 7
    }
    this.#bytes.push(left)
  }

  bits(value: number): void {
    this.#bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24)
  }

  append(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }

  /** These bytes after those of another writer. */
  after(first: ByteWriter): Uint8Array {
    const bytes = new Uint8Array(first.length + this.length)
    bytes.set(first.#bytes)
    bytes.set(this.#bytes, first.length)
    return bytes
  }
}
