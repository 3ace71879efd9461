import { authorize } from '#protocol/auth/authorize.ts'
import type { ResolutionContext } from '#protocol/state/resolution-context.ts'
import { resolveConflict } from '#protocol/state/resolve.ts'
import { difference } from '#storage/state-trie/difference.ts'
import type { Entry } from '#storage/state-trie/set.ts'
import { unpackNumbers } from '#util/varint.ts'
import type { LoadedEvent } from './loaded-event.ts'
import type { RoomView } from './room-view.ts'

/** Rounds of looking up what is missing; each brings everything that the one before asked for. */
const MAX_ROUNDS = 1_000

/**
 * Resolves states of a room into one. Begins with where they differ, without loading them, and gives what to set in the first of them to
 * get the resolved state (0: nothing is at that key). https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution
 */
export const resolveStates = async (view: RoomView, states: readonly number[]): Promise<readonly Entry[]> => {
  const [first, ...others] = [...new Set(states)]
  if (first === undefined || others.length === 0) return []
  const sets = await conflictedSets(view, first, others)
  const keys = new Set(sets.flatMap((set) => [...set.keys()]))
  if (keys.size === 0) return []
  const agreed = await view.entries(first)
  const conflict = {
    sets,
    unconflicted: (key: number) => (keys.has(key) ? undefined : agreed[key] || undefined),
    unconflictedIds: () => [...agreed].filter((n, key) => n !== 0 && !keys.has(key)),
  }
  const known = new Known(view)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const decided = resolveConflict(conflict, known.context)
    if (known.isComplete) return [...keys].map((key): Entry => [key, decided.get(key) ?? 0])
    await known.fetch()
  }
  throw new Error(`the states ${states.join(', ')} of room ${view.roomId} were not resolved in ${MAX_ROUNDS} rounds`)
}

/** Of each state the entries that are not the same in all of them. */
async function conflictedSets(
  view: RoomView,
  first: number,
  others: readonly number[],
): Promise<readonly Map<number, number>[]> {
  const keys = new Set<number>()
  for (const other of others) {
    const found = await view.store.states(view.room, (rows) => difference(rows, first, other))
    for (const { key } of found) keys.add(key)
  }
  return Promise.all(
    [first, ...others].map(async (state) => {
      const set = new Map<number, number>()
      for (const key of keys) {
        const n = await view.stateEntry(state, key)
        if (n !== 0) set.set(key, n)
      }
      return set
    }),
  )
}

/** What a resolution may ask: answered from memory. What is missing is noted, to be fetched before the resolution is run again. */
class Known {
  readonly context: ResolutionContext<number, number>
  readonly #view: RoomView
  readonly #events = new Map<number, LoadedEvent | undefined>()
  readonly #keys = new Map<string, number>()
  readonly #missingEvents = new Set<number>()
  readonly #missingKeys = new Map<string, readonly [string, string]>()
  /** Keys that the room never had get numbers that no state has. */
  #nextUnknown = -1

  constructor(view: RoomView) {
    this.#view = view
    this.context = {
      rules: view.rules,
      event: (n) => this.#event(n)?.event,
      authEvents: (n) => unpackNumbers(this.#event(n)?.row.authEvents ?? new Uint8Array()),
      keyOf: (type, stateKey) => this.#keyOf(type, stateKey),
      isAllowed: (event, state) => authorize(event, state, view.rules),
      isRejected: (n) => this.#event(n)?.row.rejectedBy !== undefined,
      // An event's number is above those of its auth events.
      isTopological: true,
    }
  }

  get isComplete(): boolean {
    return this.#missingEvents.size === 0 && this.#missingKeys.size === 0
  }

  async fetch(): Promise<void> {
    const events = await this.#view.events(this.#missingEvents)
    for (const n of this.#missingEvents) this.#events.set(n, events.get(n))
    this.#missingEvents.clear()
    for (const [name, [type, stateKey]] of this.#missingKeys) {
      this.#keys.set(name, (await this.#view.keyNumber(type, stateKey)) ?? this.#nextUnknown--)
    }
    this.#missingKeys.clear()
  }

  #event(n: number): LoadedEvent | undefined {
    if (!this.#events.has(n)) this.#missingEvents.add(n)
    return this.#events.get(n)
  }

  #keyOf(type: string, stateKey: string): number {
    const name = `${type}\0${stateKey}`
    const known = this.#keys.get(name)
    if (known === undefined) this.#missingKeys.set(name, [type, stateKey])
    return known ?? Number.MIN_SAFE_INTEGER
  }
}
