import fc from 'fast-check'
import type { Json, JsonObject } from '#util/json.ts'
import { RoomStory, type State, type Step } from './room-story.testing.ts'

const USERS = ['@alice:x', '@bob:x', '@carol:x', '@eve:x'] as const
/** Versions that differ in how they resolve or authorize. */
export const versions = fc.constantFrom('1', '2', '6', '11', '12')
const user = fc.constantFrom(...USERS)

/** Something that somebody tries in one of the states reached so far; what is not allowed does not happen. */
const attempt = fc.record({
  by: user,
  from: fc.nat(),
  ts: fc.nat(20),
  depth: fc.integer({ min: 5, max: 9 }),
  what: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('m.room.member'),
        stateKey: user,
        content: fc.record({ membership: fc.constantFrom('join', 'leave', 'ban', 'invite') }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('m.room.power_levels'),
        stateKey: fc.constant(''),
        content: fc.record({
          users: fc.dictionary(user, fc.constantFrom(0, 50, 100)),
          state_default: fc.constantFrom(0, 50),
        }),
      }),
    },
    fc.record({
      type: fc.constant('m.room.join_rules'),
      stateKey: fc.constant(''),
      content: fc.record({ join_rule: fc.constantFrom('public', 'invite') }),
    }),
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('m.room.topic', 'm.room.name'),
        stateKey: fc.constant(''),
        content: fc.constant({}),
      }),
    },
  ),
})
/** What users tried to do, and which of the states they reached are to be resolved. */
export const histories = fc.record({
  version: versions,
  attempts: fc.array(attempt, { maxLength: 25 }),
  chosen: fc.array(fc.nat(), { minLength: 2, maxLength: 4 }),
})

/** One such history. */
export type History = typeof histories extends fc.Arbitrary<infer Value> ? Value : never

/** Plays a history and picks some of the states it reached. */
export function play({ version, attempts, chosen }: History): {
  readonly story: RoomStory
  readonly states: readonly State[]
} {
  const story = new RoomStory(version)
  const users = version === '12' ? {} : { '@alice:x': 100 }
  const reached: State[] = [story.begin({ users, state_default: 0 }, ['@bob:x', '@carol:x'])]
  for (const [at, { by, from, ts, depth, what }] of attempts.entries()) {
    const state = reached[from % reached.length] ?? new Map()
    const content = JSON.parse(JSON.stringify(what.content)) as JsonObject
    if (version === '12' && what.type === 'm.room.power_levels')
      delete (content.users as Record<string, Json>)['@alice:x']
    const { type, stateKey } = what
    const step: Step = { name: `e${at}`, by, originServerTs: ts, depth, type, stateKey, content }
    if (story.allows(story.draft(state, step), state).ok) reached.push(story.send(state, step))
  }
  return { story, states: chosen.map((choice) => reached[reached.length - 1 - (choice % reached.length)] ?? new Map()) }
}
