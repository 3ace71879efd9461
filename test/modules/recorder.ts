import assert from 'node:assert/strict'
import type { Requester } from '#api/requester.ts'
import { type HookName, hooks } from '#modules/hooks.ts'
import type { Module } from '#modules/registry.ts'
import { eachHomeserver, type TestHomeserver, type TestOptions } from '#test/helpers/homeserver.ts'
import { type Refusal, refused } from '#util/verdict.ts'

/** What a module was asked: the hook, the user's ID where somebody asks, and the other arguments. */
export type Call = readonly [hook: HookName, ...args: unknown[]]

/** A module that writes down what it is asked, and answers as it is told. */
export class Recorder {
  readonly module: Module
  readonly #answers = new Map<HookName, Refusal>()
  #calls: Call[] = []

  constructor() {
    const names = Object.keys(hooks) as HookName[]
    const callback =
      (name: HookName) =>
      async (first: Requester | string, ...rest: unknown[]) => {
        this.#calls.push([name, typeof first === 'string' ? first : first.userId, ...rest])
        heard.add(name)
        return this.#answers.get(name)
      }
    this.module = { name: 'recorder', callbacks: Object.fromEntries(names.map((name) => [name, callback(name)])) }
  }

  /** Answers so from now on; `undefined` for nothing to say. */
  answer(name: HookName, answer: Refusal | undefined): void {
    if (answer === undefined) this.#answers.delete(name)
    else this.#answers.set(name, answer)
  }

  /** What was asked since the last time. */
  taken(): readonly Call[] {
    const calls = this.#calls
    this.#calls = []
    return calls
  }

  /** Forgets all. */
  reset(): void {
    this.#answers.clear()
    this.#calls = []
  }
}

/** The hooks that were heard of in this process. */
export const heard = new Set<HookName>()

/** What a module says that will not have it. */
export const no: Refusal = refused('test', 'Not while the test is watching')

/** Asserts that the module's own reason came back as `M_FORBIDDEN`. */
export const assertRefused = ({
  status,
  errcode,
  body,
}: {
  readonly status: number
  readonly errcode: string
  readonly body: Record<string, unknown>
}): void => {
  assert.deepEqual([status, errcode, body['error']], [403, 'M_FORBIDDEN', no.reason])
}

/** A homeserver with a recorder on each database. */
export const withRecorder = (
  name: string,
  body: (homeserver: TestHomeserver, recorder: Recorder) => Promise<void>,
  options: TestOptions = {},
): void => {
  const recorder = new Recorder()
  eachHomeserver(
    name,
    async (homeserver) => {
      recorder.reset()
      await body(homeserver, recorder)
    },
    { ...options, modules: [recorder.module] },
  )
}
