import * as z from 'zod'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { collectStates } from '#storage/state-trie/collect.ts'
import { roomUnchanged } from '#storage/stores/rooms.ts'
import { currentStatesAfter, statesOfEvents } from '#storage/stores/states.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { task } from '#tasks/task.ts'
import type { Clock } from '#util/clock.ts'
import { nextTurn } from '#util/next-turn.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly rooms: RoomRegistry }

/** Whoever leaves states over leaves over more, so that one collection does for all. */
const GATHER_MS = 3_600_000
const PAGE = 2_000

/** Frees what no event of a room and not its current state needs any more of the room's states. */
export const CollectStates = task('collect_states', {
  payload: z.object({ room: z.number() }),
  exclusion: ({ room }) => `room:${room}`,
  run: async (deps: Deps, { room }, signal) => {
    const active = await deps.rooms.findByNumber(room)
    if (active === undefined) return undefined
    const roots = new Set<number>()
    // Most of it is read while the room goes on; only what came meanwhile is read when it stands still.
    const after = await addRootsOfEvents(roots, { room, after: 0 }, deps.db)
    await active.queue.run(() => collect(active, { roots, after }, deps, signal))
    return undefined
  },
})

/** To be called where events or current states of a room are removed, or states are made that no event keeps. */
export const scheduleCollection = async (
  change: Change,
  room: number,
  { scheduler, clock }: { readonly scheduler: Scheduler; readonly clock: Clock },
): Promise<void> => {
  const options = { dueTs: clock.now() + GATHER_MS, once: `collect_states:${room}` }
  await scheduler.schedule(change, CollectStates, { room }, options)
}

/** The caller holds the room's queue: nothing is built on a state that is being collected. */
async function collect(
  active: ActiveRoom,
  { roots, after }: { readonly roots: Set<number>; readonly after: number },
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  if (active.isDropped) throw new Error('the room moved on while it was waited for')
  const { room, head } = active
  // When this is durable, so is everything that was on its way; should another process write to the room, no step after that is taken.
  await step(new Change({ lane: room }), active, deps)
  for (const state of [head.currentState, ...head.extremities.map(({ stateAfter }) => stateAfter)]) roots.add(state)
  await addRootsOfEvents(roots, { room, after }, deps.db)
  await addCurrentRoots(roots, room, deps.db)
  for await (const change of collectStates(deps.db, { room, roots, below: head.nextState })) {
    await step(change, active, deps)
    signal.throwIfAborted()
  }
}

/** The states that events of the room name, from the event after `after` on. Resolves to the number of the last one. */
async function addRootsOfEvents(
  roots: Set<number>,
  { room, after }: { readonly room: number; readonly after: number },
  db: Reader,
): Promise<number> {
  for (let at = after; ; ) {
    const page = await statesOfEvents(db, room, { after: at, limit: PAGE })
    for (const { stateBefore, stateAfter } of page) roots.add(stateBefore ?? 0).add(stateAfter ?? 0)
    const last = page.at(-1)
    if (last === undefined) return at
    at = last.n
    await nextTurn()
  }
}

async function addCurrentRoots(roots: Set<number>, room: number, db: Reader): Promise<void> {
  for (let after = -1; ; ) {
    const page = await currentStatesAfter(db, room, { after, limit: PAGE })
    for (const { state } of page) roots.add(state)
    const last = page.at(-1)
    if (last === undefined) break
    after = last.pos
    await nextTurn()
  }
}

async function step(change: Change, { room, head }: ActiveRoom, { commit, rooms }: Deps): Promise<void> {
  const outcome = await commit(change.require(roomUnchanged, { room, writeNumber: head.writeNumber }))
  if (outcome.ok) return
  const active = await rooms.findByNumber(room)
  if (active !== undefined) rooms.drop(active)
  throw new Error(`the room was written to meanwhile: ${outcome.refusedBy}`)
}
