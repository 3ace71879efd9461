import assert from 'node:assert/strict'
import { allRoutes } from '#server/routes.ts'
import { Refused } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import type { TextRow } from './text-row.ts'
import { syncNow, type TextWorld, textWorld } from './text-world.ts'
import { textsOfEncryption } from './texts-of-encryption.ts'
import { textsOfRooms } from './texts-of-rooms.ts'
import { textsOfUsers } from './texts-of-users.ts'

const texts: readonly TextRow[] = [...textsOfRooms, ...textsOfUsers, ...textsOfEncryption]

/** Text that databases, encodings and formats are known to fall over. `\ufffe` is the one by which our stores write the others. */
const HARD: readonly string[] = [
  'a\0b',
  '\0',
  'a\ud800b',
  '\udfff',
  '\ud800\ud800\udc00',
  '\ufffe',
  '\ufffe0000',
  '\ufffed800\0',
  '\uffff',
  '\ufeffmarked',
  'e\u0301 \u2028\u2029 \u202e',
  '\u{1f600}\u{10ffff}',
  '__proto__',
  'constructor',
  `"'\\;--\r\n\t\x7f%00`,
]

eachHomeserver(
  'text comes back as it was set, wherever it is shown, or is refused as it should be',
  async (homeserver) => {
    const world = await textWorld(homeserver)
    const routed = new Set(allRoutes(homeserver.services).map(({ endpoint }) => endpoint.id))
    const faults: string[] = []
    for (const row of texts) {
      const missing = row.needs.filter(({ id }) => !routed.has(id))
      if (missing.length > 0) {
        console.log(`# skipped, declared but not routed: ${missing.map(({ id }) => id).join(', ')} (${row.name})`)
        continue
      }
      for (const text of HARD) {
        if (row.isInUrl === true && !text.isWellFormed()) continue
        const since = await syncNow(world.alice)
        const fault = await faultOf(row, { ...world, since }, text)
        if (fault !== undefined) faults.push(`${row.name} ${JSON.stringify(text)}: ${fault}`)
      }
    }
    assert.deepEqual(faults, [])
  },
)

async function faultOf(row: TextRow, world: TextWorld, text: string): Promise<string | undefined> {
  const expected = row.refusal(text)
  try {
    const given = await row.set(world, text)
    if (expected !== undefined) return `was taken, but ${expected} was expected`
    const wrong = (await row.shown(world, text, given as never)).filter(([, one, other]) => !isSame(one, other))
    if (wrong.length === 0) return undefined
    return wrong
      .map(([where, ...pair]) => `${where}: ${pair.map((value) => JSON.stringify(value)).join(' became ')}`)
      .join('; ')
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return error.status < 500 && error.errcode === expected ? undefined : error.message
  }
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    // They differ; the caller shows how.
    return false
  }
}
