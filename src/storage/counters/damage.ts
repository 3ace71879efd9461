import type { NumberName } from '#storage/stores/numbers.ts'
import { CEILING_STEP, LARGEST, NUMBER_COLUMNS, ROOM_COUNTERS, SPAN } from './declared.ts'
import type { CounterFacts, Dialect, PositionEnd, RoomFacts } from './facts.ts'

/** A counter that does not agree with the tables. */
export type Damage = {
  readonly counter: string
  /** What is wrong. */
  readonly sentence: string
  /** What makes it right, one statement each. */
  readonly sql: readonly string[]
  /** Nothing can go wrong by it, whatever brought the damage about: a start may do it itself. `done` says what was done. */
  readonly safe: { readonly done: string } | undefined
}

/** What is wrong with the counters. */
export const damagesOf = (facts: CounterFacts, dialect: Dialect): readonly Damage[] => [
  ...positionDamage(facts, dialect),
  ...[...facts.numbers].flatMap(([name, number]) => numberDamage(name, number)),
  ...facts.rooms.flatMap(roomDamage),
]

function positionDamage({ deployment, ends }: CounterFacts, dialect: Dialect): readonly Damage[] {
  const highest = ends.reduce<PositionEnd>((best, one) => (one.position > best.position ? one : best), {
    table: 'log',
    column: 'pos',
    position: 0,
  })
  if (deployment === undefined) return highest.position === 0 ? [] : [missingDeployment(highest, dialect)]
  if (highest.position > LARGEST) return [impossiblePosition(highest, deployment.lastPosition)]
  const damage =
    lastPositionDamage(deployment, highest) ?? ceilingDamage(deployment) ?? laggingDamage(deployment, highest)
  return damage === undefined ? [] : [damage]
}

type Deployment = NonNullable<CounterFacts['deployment']>

/** A new incarnation has every client begin anew: none holds on to a position that is given twice. */
const beginAnew = (from: number): readonly string[] => [
  `UPDATE deployment SET last_position = ${from}, ceiling = ${from + CEILING_STEP}, incarnation = incarnation + 1`,
]

const isPossible = (position: number): boolean => position >= 0 && position <= LARGEST

/** The last position is out of bounds, or rows stand where none can have been given. */
function lastPositionDamage({ lastPosition, ceiling }: Deployment, highest: PositionEnd): Damage | undefined {
  const where = `${highest.table}.${highest.column}`
  if (!isPossible(lastPosition))
    return {
      counter: 'deployment.last_position',
      sentence: `The last position, ${lastPosition}, is none that can have been given; ${where} has positions up to ${highest.position}.`,
      sql: beginAnew(Math.max(highest.position, isPossible(ceiling) ? ceiling : 0)),
      safe: undefined,
    }
  if (highest.position <= ceiling) return undefined
  if (highest.position <= lastPosition) return undefined
  return {
    counter: 'deployment.last_position',
    sentence: `${where} has position ${highest.position}, but the last position that was given is ${lastPosition}, and none above ${ceiling} can have been given.`,
    sql: beginAnew(highest.position),
    safe: undefined,
  }
}

function ceilingDamage({ lastPosition, ceiling, isExact }: Deployment): Damage | undefined {
  if (ceiling >= lastPosition && isPossible(ceiling)) return undefined
  return {
    counter: 'deployment.ceiling',
    sentence: `The last position that was given is ${lastPosition}, but the ceiling of positions is ${ceiling}.`,
    sql: isExact
      ? [`UPDATE deployment SET ceiling = last_position + ${CEILING_STEP}`]
      : beginAnew(lastPosition + CEILING_STEP),
    safe: isExact ? { done: `The ceiling of positions was set to ${lastPosition + CEILING_STEP}.` } : undefined,
  }
}

/** Rows stand above the last position, but below the ceiling: going on above that is what a start after a crash does as well. */
function laggingDamage({ lastPosition, ceiling }: Deployment, highest: PositionEnd): Damage | undefined {
  if (highest.position <= lastPosition) return undefined
  return {
    counter: 'deployment.last_position',
    sentence: `${highest.table}.${highest.column} has position ${highest.position}, but the last position that was given is ${lastPosition}.`,
    sql: [`UPDATE deployment SET last_position = ceiling, ceiling = ceiling + ${CEILING_STEP}`],
    safe: { done: `Positions go on above ${ceiling}, where none was given before.` },
  }
}

const impossiblePosition = ({ table, column, position }: PositionEnd, lastPosition: number): Damage => ({
  counter: `${table}.${column}`,
  sentence: `${table}.${column} has position ${position}, which cannot have been given; the last one was ${lastPosition}.`,
  sql: [`DELETE FROM ${table} WHERE ${column} > ${LARGEST}`],
  safe: undefined,
})

function missingDeployment(highest: PositionEnd, dialect: Dialect): Damage {
  const from = highest.position + CEILING_STEP
  const random = dialect === 'sqlite' ? 'randomblob(32)' : "decode(md5(random()::text) || md5(random()::text), 'hex')"
  return {
    counter: 'deployment',
    sentence: `The table deployment is empty, though ${highest.table} has positions up to ${highest.position}. If you have a backup, restore it.`,
    sql: [
      `INSERT INTO deployment (id, server_name, incarnation, last_position, ceiling, mark, started_at, closed_cleanly, fingerprint_key)
  SELECT 1, substr(user_id, ${dialect === 'sqlite' ? "instr(user_id, ':')" : "strpos(user_id, ':')"} + 1), ${from}, ${from}, ${from + CEILING_STEP}, '', '', false, ${random}
  FROM users WHERE is_local ORDER BY "user" LIMIT 1`,
    ],
    safe: undefined,
  }
}

function numberDamage(
  name: NumberName,
  { next, highest }: { readonly next: number | undefined; readonly highest: number },
): readonly Damage[] {
  const { largest } = NUMBER_COLUMNS[name]
  const counter = `numbers.${name}`
  const right = highest + 1
  if (right > largest)
    return [
      {
        counter,
        sentence: `A row has the ${name} number ${highest}, and no such number may be above ${largest}: no counter can go on from there. Restore a backup.`,
        sql: [],
        safe: undefined,
      },
    ]
  if (next === undefined)
    return [
      {
        counter,
        sentence: `The counter of ${name} numbers is missing.`,
        sql: [`INSERT INTO numbers (name, next) VALUES ('${name}', ${right})`],
        safe: { done: `It was made anew and goes on with ${right}, which no row has.` },
      },
    ]
  const sql = [`UPDATE numbers SET next = ${right} WHERE name = '${name}'`]
  if (next > largest)
    return [
      {
        counter,
        sentence: `The counter of ${name} numbers stands at ${next}, and there are none above ${largest}; the highest in use is ${highest}.`,
        sql,
        safe: undefined,
      },
    ]
  if (next >= right) return []
  return [
    {
      counter,
      sentence: `The counter of ${name} numbers stands at ${next}, though ${highest} is in use.`,
      sql,
      safe: { done: `It goes on with ${right}, which no row has.` },
    },
  ]
}

/** What is wrong with the counters of one room. */
export function roomDamage({ room, roomId, counters, currentState, recordedState }: RoomFacts): readonly Damage[] {
  const damages: Damage[] = []
  for (const { column, next, last } of counters) {
    const noun = ROOM_COUNTERS.find((one) => one.column === column)?.noun
    if (next > last && next >= 0 && next <= SPAN) continue
    damages.push({
      counter: `rooms.${column}`,
      sentence:
        next > SPAN || next < 0
          ? `The room ${roomId} (number ${room}) would number its next ${noun} with ${next}, and a room has only numbers from 0 to ${SPAN}.`
          : `The room ${roomId} (number ${room}) would number its next ${noun} with ${next}, but it has number ${last} already.`,
      sql: [`UPDATE rooms SET ${column} = ${last + 1} WHERE room = ${room}`],
      safe: undefined,
    })
  }
  const states = counters.find(({ column }) => column === 'next_state')
  const right = recordedState ?? states?.last ?? 0
  if (currentState !== right && (recordedState !== undefined || currentState > (states?.last ?? 0)))
    damages.push({
      counter: 'rooms.current_state',
      sentence: `The room ${roomId} (number ${room}) has state ${currentState} as its current one, but state ${right} was recorded last.`,
      sql: [`UPDATE rooms SET current_state = ${Math.max(0, right)} WHERE room = ${room}`],
      safe: undefined,
    })
  return damages
}
