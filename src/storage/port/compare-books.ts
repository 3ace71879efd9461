import { hash } from 'node:crypto'
import type { Books } from './books.ts'

/** A counter on both sides. The target's may be ahead, where it was mended or nobody knows what a source gave last; never behind. */
export type CounterPair = {
  readonly counter: string
  readonly source: string
  readonly target: string
  readonly standing: 'equal' | 'ahead' | 'wrong'
}

/** Holds what one deployment knows of itself against another's, of which it shall be the copy. */
export const compareBooks = (source: Books, target: Books): readonly CounterPair[] => {
  // Of a source that was not closed in order only its ceiling says what nobody can have been given.
  const given = source.isExact ? source.lastPosition : source.ceiling
  const names = new Set([...Object.keys(source.numbers), ...Object.keys(target.numbers)])
  const incarnation = grown('incarnation', source.incarnation, target.incarnation)
  const position = grown('position', given, target.lastPosition)
  return [
    incarnation,
    // In a new incarnation no position of the old one counts.
    incarnation.standing === 'ahead' ? { ...position, standing: 'ahead' } : position,
    same('fingerprint key', print(source), print(target)),
    ...[...names].sort().map((name) => grown(name, source.numbers[name], target.numbers[name])),
  ]
}

const ABSENT = 'none'

/** Enough of a key to see whether it is the same, and not enough to use it. */
const print = ({ fingerprintKey }: Books): string => hash('sha256', fingerprintKey).slice(0, 8)

const same = (counter: string, source: string, target: string): CounterPair => ({
  counter,
  source,
  target,
  standing: source === target ? 'equal' : 'wrong',
})

function grown(counter: string, source = ABSENT, target = ABSENT): CounterPair {
  if (source === target || target === ABSENT) return same(counter, source, target)
  const isAhead = source === ABSENT || BigInt(target) > BigInt(source)
  return { counter, source, target, standing: isAhead ? 'ahead' : 'wrong' }
}
