import { type Connection, isIncapable, isServerError, unavailable } from './connection.ts'

/** A read that waits for its answer. */
export class Asked {
  readonly config: {
    readonly name: string
    readonly text: string
    readonly values: unknown[]
    readonly rowMode: 'array'
  }
  readonly resolve: (rows: unknown[][]) => void
  readonly reject: (error: unknown) => void
  /** On how many lanes it was asked. */
  tries = 0
  isAnswered = false

  constructor(config: Asked['config'], settle: Pick<Asked, 'resolve' | 'reject'>) {
    this.config = config
    this.resolve = settle.resolve
    this.reject = settle.reject
  }
}

type Deps = {
  readonly connection: Connection
  readonly now: () => number
  /** The connection was lost before the answer came. */
  readonly onLost: (asked: Asked, error: unknown) => void
}

/** A pipelined connection and what was asked on it. */
export class Lane {
  readonly #deps: Deps
  readonly #unanswered = new Set<Asked>()
  #movedAt = 0
  /** How many reads went over it. */
  count = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  get connection(): Connection {
    return this.#deps.connection
  }

  /** How many answers are awaited. */
  get waiting(): number {
    return this.#unanswered.size
  }

  /** What was asked and not answered yet, the oldest first. */
  get unanswered(): readonly Asked[] {
    return [...this.#unanswered]
  }

  /** Whether answers are awaited, and none has come for so long. */
  isHeldUp(stallMs: number): boolean {
    return this.#unanswered.size > 0 && this.#deps.now() - this.#movedAt > stallMs
  }

  ask(asked: Asked): void {
    if (this.#unanswered.size === 0) this.#movedAt = this.#deps.now()
    this.#unanswered.add(asked)
    asked.tries++
    this.count++
    void this.#deps.connection.client.query(asked.config, (error: unknown, result: { readonly rows: unknown[][] }) => {
      this.#unanswered.delete(asked)
      this.#movedAt = this.#deps.now()
      if (asked.isAnswered) return
      if (error instanceof Error) this.#failed(asked, error)
      else {
        asked.isAnswered = true
        asked.resolve(result.rows)
      }
    })
  }

  #failed(asked: Asked, error: Error): void {
    if (!isServerError(error)) this.#deps.onLost(asked, error)
    else {
      asked.isAnswered = true
      asked.reject(isIncapable(error) ? unavailable(error) : error)
    }
  }
}
