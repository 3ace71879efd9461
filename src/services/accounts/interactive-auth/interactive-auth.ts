import { forbidden, InteractionNeeded, MatrixError, unrecognized } from '#protocol/errors.ts'
import type { SentFields } from '#services/accounts/password-check.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  interactiveAuthAdded,
  interactiveAuthMoved,
  interactiveAuthOf,
  interactiveAuthRemoved,
  interactiveAuthUnchanged,
} from '#storage/stores/interactive-auths.ts'
import type { Clock } from '#util/clock.ts'
import { getString, type JsonObject } from '#util/json.ts'
import { type Random, randomLetters } from '#util/random.ts'
import { type Flow, isComplete, nextStages } from './flows.ts'
import { keptId, openPurpose, type Progress, type Purpose, printProgress, progressOf, sealPurpose } from './records.ts'
import type { Stage } from './stages.ts'
import type { Sweeper } from './sweeper.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly random: Random
  readonly stages: readonly Stage[]
  readonly sweeper: Sweeper
}

/** What is to be authenticated. `params` of the first request are kept; the field `auth` is what the client sent of it, if anything. */
export type InteractiveRequest = Purpose & {
  readonly flows: readonly Flow[]
  readonly auth: SentFields | undefined
}

/** An authentication that is complete. */
export type Authenticated = {
  /** By stage, what it showed. */
  readonly facts: ReadonlyMap<string, JsonObject>
  /** What the first request asked for. */
  readonly params: JsonObject
  /** Adds to the change of the operation that the authentication is used up, or that it led to `user`. */
  readonly finish: (change: Change, user?: number) => void
}

/** Where one stands. `stored`: how far it is as the database has it; nothing before a stage needed it. */
type State = Purpose & Progress & { readonly id: string; readonly stored: string | undefined }

/** How long an authentication may take. */
export const LIFETIME_MS = 60 * 60_000
const ATTEMPTS = 5

/** Interactive authentication: stages that a client does one by one while it asks for the same thing again and again. https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api */
export class InteractiveAuth {
  readonly #deps: Deps
  readonly #stages: ReadonlyMap<string, Stage>

  constructor(deps: Deps) {
    this.#deps = deps
    this.#stages = new Map(deps.stages.map((stage) => [stage.type, stage]))
  }

  /** Goes on as far as the client has come. Throws `InteractionNeeded` as long as something is left to do. */
  async run(request: InteractiveRequest): Promise<Authenticated> {
    for (let attempt = 1; ; attempt++) {
      const state = await this.#stateOf(request)
      const moved = await this.#attempt(state, request)
      if (moved !== undefined) return this.#conclude(moved, request)
      if (attempt === ATTEMPTS) throw usedMeanwhile()
    }
  }

  /** What a request begun earlier asked for, and the user that came of it; `undefined` where there is none for this operation. */
  async resume(session: string | undefined, operation: string): Promise<(Purpose & Progress) | undefined> {
    const state = session === undefined ? undefined : await this.#read(session)
    return state?.operation === operation ? state : undefined
  }

  async #stateOf({ auth, operation, subject, params }: InteractiveRequest): Promise<State> {
    const session = getString(auth, 'session')
    const known = session === undefined ? undefined : await this.#read(session)
    if (known === undefined) {
      const id = randomLetters(this.#deps.random, 24)
      return { id, operation, subject, params, stages: [], user: undefined, stored: undefined }
    }
    if (known.operation !== operation || known.subject !== subject) {
      throw forbidden('What is asked for has changed since the authentication began')
    }
    return known
  }

  async #read(session: string): Promise<State | undefined> {
    const { db, clock } = this.#deps
    const row = await interactiveAuthOf(db, keptId(session))
    if (row === undefined || row.createdTs + LIFETIME_MS <= clock.now()) return undefined
    return { id: session, ...openPurpose(session, row.request), ...progressOf(row), stored: row.completed }
  }

  /** Does the stage that the client attempts, if any. `undefined`: another request went on with it meanwhile. */
  async #attempt(state: State, { flows, auth }: InteractiveRequest): Promise<State | undefined> {
    const type = getString(auth, 'type')
    const done = state.stages.map((stage) => stage.type)
    if (auth === undefined || type === undefined || done.includes(type) || isComplete(flows, done)) return state
    const stage = this.#stages.get(type)
    if (stage === undefined || !nextStages(flows, done).has(type)) {
      return this.#fail(state, flows, unrecognized(`The stage ${type.slice(0, 100)} is not the next one`))
    }
    const outcome = await tried(() => stage.attempt(auth, state.subject))
    if (!outcome.ok) return this.#fail(state, flows, outcome.error)
    const stages = [...state.stages, { type, fact: outcome.fact }]
    const moved = { ...state, stages }
    if (outcome.claim === undefined) return moved
    const change = new Change()
    const refused = outcome.claim(change)
    const { written, refusedBy } = await this.#write(moved, change)
    if (written !== undefined) return written
    const error = refused(refusedBy)
    return error === undefined ? undefined : this.#fail(state, flows, error)
  }

  async #conclude(state: State, { flows }: InteractiveRequest): Promise<Authenticated> {
    const done = state.stages.map(({ type }) => type)
    if (!isComplete(flows, done)) throw this.#needed(await this.#kept(state), flows)
    return {
      facts: new Map(state.stages.map(({ type, fact }) => [type, fact])),
      params: state.params,
      finish: (change, user) => this.#finish(change, state, user),
    }
  }

  #finish(change: Change, state: State, user: number | undefined): void {
    if (state.stored === undefined) return
    const id = keptId(state.id)
    change.require(interactiveAuthUnchanged, { id, completed: state.stored })
    if (user === undefined) change.write(interactiveAuthRemoved, { id })
    else change.write(interactiveAuthMoved, { id, completed: printProgress({ stages: state.stages, user }) })
  }

  async #fail(state: State, flows: readonly Flow[], error: MatrixError): Promise<never> {
    throw this.#needed(await this.#kept(state), flows, error)
  }

  /** The state as the database has it too. Whoever went on with it meanwhile is not disturbed. */
  async #kept(state: State): Promise<State> {
    if (state.stored === printProgress(state)) return state
    return (await this.#write(state, new Change())).written ?? state
  }

  async #write(
    state: State,
    change: Change,
  ): Promise<
    | { readonly written: State; readonly refusedBy?: undefined }
    | { readonly written?: undefined; readonly refusedBy: string }
  > {
    const { commit, clock, random, sweeper } = this.#deps
    const id = keptId(state.id)
    const completed = printProgress(state)
    if (state.stored === undefined) {
      const request = sealPurpose(state.id, state, random)
      change.write(interactiveAuthAdded, { id, createdTs: clock.now(), request, completed })
    } else {
      change.require(interactiveAuthUnchanged, { id, completed: state.stored })
      change.write(interactiveAuthMoved, { id, completed })
    }
    const outcome = await commit(change)
    if (!outcome.ok) return { refusedBy: outcome.refusedBy }
    if (state.stored === undefined) sweeper.added()
    return { written: { ...state, stored: completed } }
  }

  #needed(state: State, flows: readonly Flow[], failure?: MatrixError): InteractionNeeded {
    const types = new Set(flows.flat())
    const params = [...types].flatMap((type) => {
      const value = this.#stages.get(type)?.params
      return value === undefined ? [] : [[type, value] as const]
    })
    const body = {
      session: state.id,
      flows: flows.map((stages) => ({ stages })),
      params: Object.fromEntries(params),
      ...(state.stages.length === 0 ? {} : { completed: state.stages.map(({ type }) => type) }),
    }
    return new InteractionNeeded(body, failure)
  }
}

/** What the client hears whose authentication was used up by another request of its own. */
export const usedMeanwhile = (): MatrixError =>
  forbidden('The authentication was used by another request at the same time')

/** A stage that refuses by an error may be attempted again; what is no refusal goes up. */
async function tried<T>(
  attempt: () => Promise<T | { readonly ok: false; readonly error: MatrixError }>,
): Promise<T | { readonly ok: false; readonly error: MatrixError }> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return { ok: false, error }
    throw error
  }
}
