import { DatabaseRefused } from '#storage/database.ts'
import { type Damage, damagesOf } from './damage.ts'
import { type Asking, counterFacts, type Depth, type Dialect } from './facts.ts'

/** The counters of a database do not agree with its tables. The message has the SQL that makes it right, one statement a line. */
export class CountersInconsistent extends DatabaseRefused {
  readonly damages: readonly Damage[]

  constructor(damages: readonly Damage[]) {
    super(refusal(damages))
    this.damages = damages
  }
}

/** Looks at the counters, and asks for nothing but reads. */
export function* examine(dialect: Dialect, depth: Depth): Asking<readonly Damage[]> {
  return damagesOf(yield* counterFacts(dialect, depth), dialect)
}

/**
 * At a start, in one transaction that keeps others out: what is safely mended is mended, and said; throws `CountersInconsistent` where
 * something is wrong that is not.
 */
export function* mendCounters(dialect: Dialect, random: number): Asking<readonly string[]> {
  const damages = yield* examine(dialect, { kind: 'start', random })
  const unsafe = damages.filter(({ safe }) => safe === undefined)
  if (unsafe.length > 0) throw new CountersInconsistent(unsafe)
  const said: string[] = []
  for (const { sentence, sql, safe } of damages) {
    for (const statement of sql) yield statement
    said.push(`${sentence} ${safe?.done}`)
  }
  return said
}

function refusal(damages: readonly Damage[]): string {
  const sql = damages.flatMap((damage) => damage.sql)
  return [
    'The counters of the database do not agree with its tables, as when a part of it was restored or changed by hand.',
    ...damages.map(({ sentence }) => `- ${sentence}`),
    ...(sql.length === 0
      ? []
      : [
          'Nothing was changed. Stop every Myelin that uses the database, make a backup of it, and run this SQL; then start again:',
          ...sql.map((statement) => `${statement};`),
        ]),
  ].join('\n')
}
