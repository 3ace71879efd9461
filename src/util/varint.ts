/** Packs whole numbers of 0 or more, each in as few bytes as it needs, seven bits a byte. */
export const packNumbers = (numbers: readonly number[]): Uint8Array => {
  const bytes: number[] = []
  for (let number of numbers) {
    while (number >= 128) {
      bytes.push((number % 128) + 128)
      number = Math.floor(number / 128)
    }
    bytes.push(number)
  }
  return Uint8Array.from(bytes)
}

/** The numbers that `packNumbers` packed. A number that is cut off at the end is left out. */
export const unpackNumbers = (bytes: Uint8Array): number[] => {
  const numbers: number[] = []
  let number = 0
  let factor = 1
  for (const byte of bytes) {
    number += (byte & 127) * factor
    factor *= 128
    if (byte < 128) {
      numbers.push(number)
      number = 0
      factor = 1
    }
  }
  return numbers
}
