import type { Change } from '#storage/change.ts'
import { auditEntryAdded } from '#storage/stores/audit.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import type { Clock } from '#util/clock.ts'
import type { JsonObject } from '#util/json.ts'

/** Something that an administrator does. */
export type AdminAct = {
  /** The administrator's number; `undefined` for who knows a secret of the server. */
  readonly actor: number | undefined
  /** What is done, like `register` or `lock`. */
  readonly action: string
  /** To whom or what: an ID. */
  readonly subject: string
  readonly detail: JsonObject
}

type Deps = { readonly numbers: Numbers; readonly clock: Clock }

/** The record of what administrators do. */
export class Audit {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Writes it down in the same commit as its effect. */
  async write(change: Change, { actor, action, subject, detail }: AdminAct): Promise<void> {
    const { numbers, clock } = this.#deps
    const entry = await numbers.next('audit')
    change.write(auditEntryAdded, {
      entry,
      writtenTs: clock.now(),
      actor,
      action,
      subject,
      detail: JSON.stringify(detail),
    })
  }
}
