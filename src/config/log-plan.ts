/** Levels of the log, the most important first. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** What is written to the log, how, and where to. */
export type LogPlan = {
  readonly level: LogLevel
  /** Levels of parts, by the names that Synapse's loggers have (`synapse.storage`); a name covers those that it begins. */
  readonly levels: Readonly<Record<string, LogLevel>>
  readonly outputs: readonly LogOutput[]
}

/** One place that lines are written to. */
export type LogOutput = {
  readonly target: LogTarget
  readonly format: 'text' | 'json'
  /** How Python would lay out a line of text (`%(asctime)s …`), where the administrator says so. */
  readonly pattern: string | undefined
  /** What is less important than this does not go here; `undefined`: everything that is written at all. */
  readonly level: LogLevel | undefined
}

/** A stream of the process, or a file. */
export type LogTarget =
  | { readonly kind: 'stdout' | 'stderr' }
  | { readonly kind: 'file'; readonly path: string; readonly rotation: LogRotation }

/** When a file is put aside for a new one, and how many old ones are kept; `kept` 0 with `time` keeps all of them. */
export type LogRotation =
  | { readonly kind: 'none' }
  | { readonly kind: 'size'; readonly maxBytes: number; readonly kept: number }
  | { readonly kind: 'time'; readonly every: 'hour' | 'day'; readonly kept: number }
