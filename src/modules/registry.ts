import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { refused, type Verdict } from '#util/verdict.ts'
import { type HookAnswer, type HookArgs, type HookCallback, type HookName, hooks } from './hooks.ts'

/** A module: a name for the log, and what it does at which hooks. */
export type Module = {
  readonly name: string
  readonly callbacks: { readonly [Name in HookName]?: HookCallback<Name> }
}

type Deps = { readonly modules: readonly Module[]; readonly clock: Clock; readonly log: Logger }

/** Asks the modules. */
export class Hooks {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The combined answer of all modules that take part in the hook. */
  async ask<Name extends HookName>(name: Name, ...args: HookArgs<Name>): Promise<HookAnswer<Name>> {
    const { combine } = hooks[name]
    for (const module of this.#deps.modules) {
      const callback = module.callbacks[name] as ((...args: HookArgs<Name>) => unknown) | undefined
      if (callback === undefined) continue
      const answer = (await this.#call(name, module, () => callback(...args))) as Verdict | undefined
      if (answer !== undefined && !answer.ok) return answer as HookAnswer<Name>
    }
    return combine.none as HookAnswer<Name>
  }

  /** A module that fails or takes too long counts as the hook says. */
  async #call(name: HookName, module: Module, call: () => unknown): Promise<unknown> {
    const { timeoutMs, onTimeout } = hooks[name]
    const { clock, log } = this.#deps
    const silence = onTimeout === 'allow' ? undefined : refused(name, `The module ${module.name} did not answer`)
    let cancel = () => {}
    const late = new Promise<unknown>((resolve) => {
      cancel = clock.after(timeoutMs, () => {
        log.warn('module_too_slow', { module: module.name, hook: name })
        resolve(silence)
      })
    })
    try {
      return await Promise.race([call(), late])
    } catch (error) {
      log.error('module_failed', { module: module.name, hook: name, error: String(error) })
      return silence
    } finally {
      cancel()
    }
  }
}
