import { nextTurn } from '#util/next-turn.ts'

/** The items in slices, each of them in a turn of its own, so that others get theirs in between. */
export async function* inSlices<T>(items: Iterable<T>, size: number): AsyncGenerator<T[]> {
  let slice: T[] = []
  let isFirst = true
  for (const item of items) {
    if (slice.length === size) {
      if (!isFirst) await nextTurn()
      isFirst = false
      yield slice
      slice = []
    }
    slice.push(item)
  }
  if (slice.length === 0) return
  if (!isFirst) await nextTurn()
  yield slice
}
