import { randomInt } from 'node:crypto'

/** The same things in any order, each as likely. */
export const shuffled = <T>(things: readonly T[]): T[] => {
  const result = [...things]
  for (let last = result.length - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    const [a, b] = [result[last] as T, result[other] as T]
    result[last] = b
    result[other] = a
  }
  return result
}
