import type { Verdict } from '#util/verdict.ts'

/** How the answers of several modules become one. */
export type Combine<Answer> =
  /** All are asked in order until one objects: its objection is the answer. */
  | { readonly how: 'firstObjection'; readonly none: Answer }
  /** All are asked in order until one has an answer. */
  | { readonly how: 'firstAnswer'; readonly none: Answer }

/** A place where modules are asked, and how their answers combine: declared together, so that the rule is not folklore. */
export type Hook<Args extends readonly unknown[], Answer> = {
  readonly combine: Combine<Answer>
  /** A module that takes longer than this counts as `onTimeout` says. */
  readonly timeoutMs: number
  readonly onTimeout: 'allow' | 'fail'
  /** Only for its types. */
  readonly types?: (...args: Args) => Answer
}

/** A hook at which modules may object. Without modules everything is allowed. */
export const objection = <Args extends readonly unknown[]>(options: {
  readonly timeoutMs: number
  readonly onTimeout: 'allow' | 'fail'
}): Hook<Args, Verdict> => ({ combine: { how: 'firstObjection', none: { ok: true } }, ...options })
