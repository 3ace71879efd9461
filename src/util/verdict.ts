/** What a rule says: allowed, or refused by the rule of that number, for that reason. */
export type Verdict = { readonly ok: true } | Refusal
/** A refusal: `rule` is the specification's own number where it has one, else a short name. */
export type Refusal = { readonly ok: false; readonly rule: string; readonly reason: string }

/** The verdict of every rule that has nothing to object to. */
export const allowed: Verdict = { ok: true }
/** A refusal by `rule`, with a sentence that says what was expected. */
export const refused = (rule: string, reason: string): Refusal => ({ ok: false, rule, reason })
/** Whether a reader or builder gave a refusal rather than what it was asked for (which never has a property `ok`). */
export const isRefusal = <T extends object>(result: T | Refusal): result is Refusal =>
  'ok' in result && result.ok === false
