import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import { cwd, env } from 'node:process'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** What a run of test files came to. */
export type Tally = { passed: number; failed: number; skipped: number }

type Outcome = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>

/** Prints a dot for a test, at once what failed and what was skipped with its reason. The file in `MYELIN_TEST_TALLY` gets a line of JSON with the {@link Tally}. */
// biome-ignore lint/style/noDefaultExport: node loads a reporter by its default export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  for await (const event of events) {
    if (event.type === 'test:stderr') yield event.data.message
    if (event.type === 'test:diagnostic' && !COUNT.test(event.data.message)) yield `\n${event.data.message}\n`
    if ((event.type === 'test:pass' || event.type === 'test:fail') && isCounted(event)) {
      const outcome = outcomeOf(event)
      tally[outcome]++
      yield PRINTED[outcome](event, tally)
    }
  }
  if (env['MYELIN_TEST_TALLY'] !== undefined) {
    appendFileSync(env['MYELIN_TEST_TALLY'], `${JSON.stringify(tally)}\n`)
  }
  yield '\n'
}

/** What Node says at the end of each run anyway. */
const COUNT = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /

/** A suite counts only where it fails by itself and not by a test in it. */
const isCounted = ({ type, data: { details } }: Outcome): boolean =>
  details.type !== 'suite' ||
  (type === 'test:fail' && 'error' in details && failureType(details.error) !== 'subtestsFailed')

const failureType = (error: object): unknown => ('failureType' in error ? error.failureType : undefined)

const PRINTED: Readonly<Record<keyof Tally, (event: Outcome, tally: Tally) => string>> = {
  passed: (_, { passed }) => (passed % 100 === 0 ? '.\n' : '.'),
  failed: (event) => `\nfailed: ${title(event)}\n${inspect(errorOf(event)).replaceAll(/^/gm, '    ')}\n`,
  skipped: (event) => `\nskipped: ${title(event)}: ${event.data.skip}\n`,
}

function outcomeOf({ type, data: { skip } }: Outcome): keyof Tally {
  if (type === 'test:fail') return 'failed'
  return skip === undefined || skip === false ? 'passed' : 'skipped'
}

const title = ({ data: { name, file, line } }: Outcome) =>
  file === undefined ? name : `${name} (${relative(cwd(), file)}:${line})`

const errorOf = ({ data: { details } }: Outcome) =>
  'error' in details ? (details.error.cause ?? details.error) : undefined
