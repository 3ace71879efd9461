import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { env } from 'node:process'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { endpoints } from '#api/all.ts'
import type { Endpoint } from '#api/endpoint.ts'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { type BadRequest, badRequests } from './requests.ts'
import { exchange, faultOf } from './wire.ts'
import { World } from './world.ts'

// Every endpoint gets requests that are more or less bad, twice over. MYELIN_INPUT_SEED and MYELIN_INPUT_RUNS (requests for each endpoint
// and pass) choose others; MYELIN_INPUT_ONLY names one endpoint.

const SEED = Number(env['MYELIN_INPUT_SEED'] ?? 20_260_101)
/** PostgreSQL writes to the disk for each change; it gets fewer. */
const RUNS = { sqlite: Number(env['MYELIN_INPUT_RUNS'] ?? 100), postgres: Number(env['MYELIN_INPUT_RUNS'] ?? 50) }
/** On a machine that has much else to do, endpoints get fewer. */
const PASS_MS = 40_000
const ONLY = env['MYELIN_INPUT_ONLY']
/** How many endpoints are tried at the same time. */
const AT_ONCE = 6
const CONFIG = 'enable_registration: true\nenable_registration_without_verification: true\nallow_guest_access: true'

const declared = endpoints.filter(({ id }) => ONLY === undefined || id === ONLY)

for (const kind of ['sqlite', 'postgres'] as const) {
  test(`bad input is refused or taken, and never breaks anything (${kind})`, { timeout: 280_000 }, async (t) => {
    t.diagnostic(`MYELIN_INPUT_SEED=${SEED} MYELIN_INPUT_RUNS=${RUNS[kind]}`)
    await using server = await ServerProcess.start(kind, ['--expose-gc'], CONFIG)
    const routed = await server.routedIds()
    const tried: Endpoint[] = []
    for (const endpoint of declared) {
      if (routed.has(endpoint.id)) tried.push(endpoint)
      else t.diagnostic(`skipped, declared but not routed: ${endpoint.id}`)
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const worlds = new Map<Endpoint, World>()
    for (const [index, endpoint] of tried.entries()) worlds.set(endpoint, await World.make(server, `user${index}`))
    const heaps: number[] = []
    const faults: string[] = []
    for (const pass of [1, 2]) {
      const begun = performance.now()
      let requests = 0
      await inParallel(tried, async (endpoint) => {
        const here = { server, agent, world: worlds.get(endpoint) as World }
        const limits = { numRuns: RUNS[kind], interruptAfterTimeLimit: (PASS_MS * AT_ONCE) / tried.length }
        const { fault, runs } = await tryEndpoint(endpoint, here, limits)
        requests += runs
        if (fault !== undefined) faults.push(fault)
      })
      assert.ok(server.isUp, 'the server runs still')
      assert.deepEqual(faults, [])
      heaps.push(await server.heapBytes())
      const seconds = ((performance.now() - begun) / 1000).toFixed(1)
      t.diagnostic(
        `pass ${pass}: ${requests} requests in ${seconds} s, heap ${((heaps.at(-1) ?? 0) / 1e6).toFixed(1)} MB`,
      )
    }
    agent.destroy()
    const [first = 0, second = 0] = heaps
    assert.ok(second < first * 1.1, `the heap grew from ${first} to ${second} bytes`)
  })
}

type Tried = { readonly server: ServerProcess; readonly agent: Agent; readonly world: World }

/** Tries an endpoint; says what was wrong, with the smallest request that shows it. */
async function tryEndpoint(
  endpoint: Endpoint,
  { server, agent, world }: Tried,
  limits: { readonly numRuns: number; readonly interruptAfterTimeLimit: number },
): Promise<{ readonly fault: string | undefined; readonly runs: number }> {
  const property = fc.asyncProperty(badRequests(endpoint), async (bad) => {
    await world.prepare()
    const answer = await exchange(agent, server.url, world, bad)
    const fault = faultOf(endpoint, bad.method, answer)
    if (fault !== undefined) throw new Error(fault)
  })
  const result = await fc.check(property, { seed: SEED, ...limits })
  const runs = result.numRuns
  if (result.errorInstance === null) return { fault: undefined, runs }
  const [bad] = result.counterexample ?? []
  const { message } = result.errorInstance as Error
  const text = `${endpoint.id}: ${message} for ${bad === undefined ? 'nothing' : shown(bad)}`
  return { fault: text.replaceAll(/(.)\1{40,}/g, '$1…'), runs }
}

const shown = ({ method, url, headers, token, body }: BadRequest): string =>
  JSON.stringify({
    method,
    url: url.slice(0, 200),
    headers,
    token,
    body: body && Buffer.from(body).toString('latin1').slice(0, 200),
  })

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
    }),
  )
}
