import assert from 'node:assert/strict'
import * as z from 'zod'
import { Change } from '#storage/change.ts'
import { Numbers } from '#storage/stores/numbers.ts'
import { taskState, tasksOfName } from '#storage/stores/tasks.ts'
import { eachDatabase, eachPlace, type TestDatabase } from '#storage/testing/each-database.ts'
import { silentLogger } from '#util/logger.ts'
import { ManualClock } from '#util/manual-clock.testing.ts'
import { TaskRunner } from './runner.ts'
import { type ScheduleOptions, Scheduler } from './scheduler.ts'
import { type ReadyTask, ready, type Task, task } from './task.ts'

let processes = 0

/** A process that schedules and runs tasks. */
async function startProcess({ db, commit }: TestDatabase, tasks: readonly ReadyTask[], clock = new ManualClock()) {
  const scheduler = new Scheduler({ numbers: new Numbers(commit), clock })
  const runner = new TaskRunner({ db, commit, clock, log: silentLogger, scheduler, runner: `process ${++processes}` })
  await runner.start(tasks)
  const scheduled = async <P>(one: Task<P, never>, payload: P, options?: ScheduleOptions) => {
    const change = new Change()
    const number = await scheduler.schedule(change, one, payload, options)
    assert.ok((await commit(change)).ok)
    return number
  }
  return { clock, runner, scheduled, scheduler, [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose]() }
}

type Notes = { readonly seen: unknown[] }
const Note = task('note', {
  payload: z.object({ what: z.string() }),
  run: async ({ seen }: Notes, { what }) => {
    seen.push(what)
    return undefined
  },
})

eachDatabase('a task runs once, when it is due and the change that wants it is durable', async (database) => {
  const notes: Notes = { seen: [] }
  await using process = await startProcess(database, [ready(Note, notes)])
  const { clock, runner, scheduler } = process
  const number = await process.scheduled(Note, { what: 'now\0\ud800' })
  await process.scheduled(Note, { what: 'later' }, { dueTs: clock.now() + 1000 })
  await scheduler.schedule(new Change(), Note, { what: 'never committed' })
  await runner.settled()
  assert.deepEqual(notes.seen, ['now\0\ud800'])
  assert.equal(await taskState(database.db, number), undefined)
  clock.advance(999)
  await runner.settled()
  assert.equal(notes.seen.length, 1)
  clock.advance(1)
  await runner.settled()
  assert.deepEqual(notes.seen, ['now\0\ud800', 'later'])
  clock.advance(3_600_000)
  await runner.settled()
  assert.equal(notes.seen.length, 2)
})

eachDatabase('of tasks with one word only one waits, and one that runs does not count', async (database) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const seen: string[] = []
  const Slow = task('slow', {
    payload: z.string(),
    exclusion: () => 'slow',
    run: async (_: undefined, what) => {
      seen.push(what)
      await gate
      return undefined
    },
  })
  await using process = await startProcess(database, [ready(Slow, undefined)])
  const [now, once] = [process.clock.now(), 'word']
  await process.scheduled(Slow, 'first', { once, dueTs: now + 10 })
  await process.scheduled(Slow, 'ignored', { once, dueTs: now + 5 })
  process.clock.advance(10)
  while (seen.length === 0) await new Promise(setImmediate)
  await process.scheduled(Slow, 'second', { once })
  await process.scheduled(Slow, 'ignored too', { once })
  open()
  await process.runner.settled()
  assert.deepEqual(seen, ['first', 'second'])
})

eachDatabase('a task that fails is tried again later and later, and given up at last', async (database) => {
  let attempts = 0
  const Broken = task('broken', {
    payload: z.null(),
    maxAttempts: 3,
    backoffMs: 1_000,
    run: async () => {
      attempts++
      throw new Error('it does not work')
    },
  })
  await using process = await startProcess(database, [ready(Broken, undefined)])
  const number = await process.scheduled(Broken, null)
  const { clock, runner } = process
  for (const [wait, expected] of [
    [0, 1],
    [999, 1],
    [1, 2],
    [1_999, 2],
    [1, 3],
    [3_600_000, 3],
  ] as const) {
    clock.advance(wait)
    await runner.settled()
    assert.equal(attempts, expected)
  }
  const state = await taskState(database.db, number)
  assert.deepEqual([state?.status, state?.error, state?.runner], ['failed', 'it does not work', undefined])
})

eachDatabase('a payload that is not what it should be fails its task alone', async (database) => {
  const notes: Notes = { seen: [] }
  await using process = await startProcess(database, [ready({ ...Note, maxAttempts: 1 }, notes)])
  const number = await process.scheduled(Note, { what: 7 as never })
  await process.scheduled(Note, { what: 'good' })
  await process.runner.settled()
  assert.deepEqual(notes.seen, ['good'])
  assert.equal((await taskState(database.db, number))?.status, 'failed')
})

eachDatabase('tasks that exclude each other never run together, in one process or in several', async (database) => {
  const clock = new ManualClock()
  let [running, most, done] = [0, 0, 0]
  const Alone = task('alone', {
    payload: z.number(),
    exclusion: () => 'the same',
    run: async () => {
      most = Math.max(most, ++running)
      for (let n = 0; n < 5; n++) await new Promise(setImmediate)
      running--
      done++
      return undefined
    },
  })
  await using one = await startProcess(database, [ready(Alone, undefined)], clock)
  await using other = await startProcess(database, [ready(Alone, undefined)], clock)
  await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? one : other).scheduled(Alone, n)))
  while (done < 10) {
    await Promise.all([one.runner.settled(), other.runner.settled()])
    clock.advance(1_000)
  }
  assert.deepEqual([most, done], [1, 10])
})

eachDatabase('several processes that look at the same time run each task once', async (database) => {
  const clock = new ManualClock()
  const notes: Notes = { seen: [] }
  const all = await Promise.all([1, 2, 3].map(() => startProcess(database, [ready(Note, notes)], clock)))
  const change = new Change()
  for (let n = 0; n < 20; n++)
    await all[0]?.scheduler.schedule(change, Note, { what: `${n}` }, { dueTs: clock.now() + 5 })
  await database.commit(change)
  clock.advance(5)
  await Promise.all(all.map(({ runner }) => runner.settled()))
  await Promise.all(all.map(({ runner }) => runner.settled()))
  assert.deepEqual(
    notes.seen.map(Number).sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, n) => n),
  )
  for (const one of all) await one[Symbol.asyncDispose]()
})

const Patient = task('patient', {
  payload: z.string(),
  run: async ({ seen }: Notes, what, signal) => {
    seen.push(what)
    const stopped = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => stopped.resolve())
    await stopped.promise
    signal.throwIfAborted()
    return undefined
  },
})

eachPlace(
  'a task that a stop interrupts runs again after the next start, and the run does not count',
  async (place) => {
    const clock = new ManualClock()
    const notes: Notes = { seen: [] }
    let number = 0
    {
      await using database = await place.open()
      await using process = await startProcess(database, [ready(Patient, notes)], clock)
      number = await process.scheduled(Patient, 'a')
      while (notes.seen.length === 0) await new Promise(setImmediate)
    }
    await using database = await place.open()
    assert.equal((await taskState(database.db, number))?.attempts, 0)
    await using again = await startProcess(database, [ready(Patient, notes)], clock)
    while (notes.seen.length === 1) await new Promise(setImmediate)
    assert.deepEqual(notes.seen, ['a', 'a'])
    assert.equal(again.runner.runningCount, 1)
  },
)

eachPlace('the task of a process that died is taken over when its time has run out', async (place) => {
  const clock = new ManualClock()
  const notes: Notes = { seen: [] }
  await using database = await place.open()
  // It claims the task, and is never heard of again: its clock stands still.
  const dead = await startProcess(database, [ready(Patient, notes)], new ManualClock())
  await dead.scheduled(Patient, 'a')
  while (notes.seen.length === 0) await new Promise(setImmediate)
  await using heir = await startProcess(database, [ready(Patient, notes)], clock)
  clock.advance(59_000)
  await new Promise(setImmediate)
  assert.equal(heir.runner.runningCount, 0)
  clock.advance(61_000)
  while (heir.runner.runningCount === 0) await new Promise(setImmediate)
  await dead[Symbol.asyncDispose]()
  const [state] = await tasksOfName(database.db, 'patient', 10)
  assert.notEqual(state?.runner, undefined)
})

eachPlace(
  'a recurring task comes round, once however many processes there are, with what it learned',
  async (place) => {
    const clock = new ManualClock()
    const seen: number[] = []
    const Count = task('count', {
      payload: z.object({ n: z.number() }),
      every: { ms: 60_000, first: { n: 1 } },
      maxAttempts: 1,
      run: async (_: undefined, { n }) => {
        seen.push(n)
        if (n === 2 && seen.length === 2) throw new Error('once')
        return { payload: { n: n + 1 } }
      },
    })
    {
      await using database = await place.open()
      await using one = await startProcess(database, [ready(Count, undefined)], clock)
      await using other = await startProcess(database, [ready(Count, undefined)], clock)
      for (let n = 0; n < 2; n++) {
        clock.advance(60_000)
        await Promise.all([one.runner.settled(), other.runner.settled()])
      }
      assert.deepEqual(seen, [1, 2])
    }
    await using database = await place.open()
    await using again = await startProcess(database, [ready(Count, undefined)], clock)
    for (let n = 0; n < 2; n++) {
      clock.advance(60_000)
      await again.runner.settled()
    }
    assert.deepEqual(seen, [1, 2, 2, 3])
    assert.equal((await tasksOfName(database.db, 'count', 10)).length, 1)
  },
)

eachDatabase(
  'what ends a task is written with its last change, and its result is kept for a while',
  async (database) => {
    const Final = task('final', {
      payload: z.null(),
      keptMs: 1_000,
      run: async ({ numbers, clock }: { numbers: Numbers; clock: ManualClock }) => {
        const change = new Change()
        await new Scheduler({ numbers, clock }).schedule(change, Note, { what: 'next' })
        return { change, result: { answer: 42 } }
      },
    })
    const [clock, notes] = [new ManualClock(), { seen: [] } as Notes]
    const deps = { numbers: new Numbers(database.commit), clock }
    await using process = await startProcess(database, [ready(Final, deps), ready(Note, notes)], clock)
    const number = await process.scheduled(Final, null)
    await process.runner.settled()
    assert.deepEqual(notes.seen, ['next'])
    const state = await taskState(database.db, number)
    assert.deepEqual([state?.status, state?.result], ['done', '{"answer":42}'])
  },
)
