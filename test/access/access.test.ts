import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '#api/all.ts'
import { login } from '#api/client/login.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import type { Outcome } from './outcomes.ts'
import { snapshotOf } from './snapshot.ts'
import { type AccessRow, table } from './table.ts'
import { ACCESS_CONFIG, isRouted, makeWorld, PARTIES, type Party, renewParties, SECRET, type World } from './world.ts'

test('it is said of every endpoint who gets what by it', () => {
  const known = new Set(table.map(({ endpoint }) => endpoint.id))
  assert.deepEqual(
    endpoints.filter(({ id }) => !known.has(id)).map(({ id }) => id),
    [],
  )
})

eachHomeserver(
  'nobody reads or changes what is not theirs, by any endpoint',
  async (homeserver) => {
    const world = await makeWorld(homeserver)
    const faults: string[] = []
    const skipped = new Set<string>()
    let before = await snapshotOf(world)
    for (const row of table) {
      if (!isRouted(world, row.endpoint)) {
        skipped.add(row.endpoint.id)
        continue
      }
      for (const party of PARTIES) {
        const fault = await faultOf(world, row, party)
        if (fault !== undefined) faults.push(`${row.endpoint.id} as ${party}: ${fault}`)
      }
      if (row.restore !== undefined) {
        await row.restore(world)
        before = await snapshotOf(world)
      }
      await renewParties(world)
      const after = await snapshotOf(world)
      if (!isSame(before, after))
        faults.push(`${row.endpoint.id} changed what is Alice's: ${difference(before, after)}`)
      before = after
    }
    for (const id of skipped) console.log(`# skipped, declared but not routed: ${id}`)
    assert.deepEqual(faults, [])
    const body = { type: 'm.login.password', user: 'alice', password: 'password of alice' }
    await homeserver.stranger().call(login, { body })
  },
  ACCESS_CONFIG,
)

async function faultOf(world: World, row: AccessRow, party: Party): Promise<string | undefined> {
  const client = world.parties[party]
  const aim = row.aim(world, client)
  const query = party === 'masquerading' ? { ...aim.query, ...asAlice(world.alice) } : (aim.query ?? {})
  const { status, body } = await client.send(row.endpoint, { ...aim, query } as never)
  const expected = row.outcomes[party]
  const actual = outcomeOf(status, body)
  if (actual !== expected) return `expected ${expected}, got ${actual}: ${JSON.stringify(body).slice(0, 200)}`
  const text = JSON.stringify(body)
  const shown = [SECRET, ...(row.hidden?.(world) ?? [])].filter((hidden) => text.includes(hidden))
  return shown.length === 0 ? undefined : `is shown ${shown.join(', ')} in ${around(text, shown[0] ?? '')}`
}

const asAlice = ({ userId, deviceId }: TestClient) => ({
  user_id: userId,
  device_id: deviceId,
  'org.matrix.msc3202.device_id': deviceId,
})

function outcomeOf(status: number, body: unknown): Outcome {
  if (status < 300) return 'ok'
  const { errcode, flows } = body as { readonly errcode?: string; readonly flows?: unknown }
  return status === 401 && flows !== undefined && errcode === undefined
    ? '401 interaction'
    : (`${status} ${errcode}` as Outcome)
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    // The caller says how they differ.
    return false
  }
}

function difference(before: unknown, after: unknown): string {
  const [one, other] = [JSON.stringify(before), JSON.stringify(after)]
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return `${one.slice(Math.max(0, at - 80), at + 80)} became ${other.slice(Math.max(0, at - 80), at + 80)}`
}

const around = (text: string, part: string): string => {
  const at = text.indexOf(part)
  return text.slice(Math.max(0, at - 200), at + 60)
}
