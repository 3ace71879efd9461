import { isatty } from 'node:tty'
import type { LogLevel, LogOutput, LogPlan } from '#config/log-plan.ts'
import type { AnsweredRequest } from '#http/server/answered.ts'
import { logContext } from '#util/log-context.ts'
import type { LogFields, Logger } from '#util/logger.ts'
import { accessFields, accessLine } from './access-line.ts'
import { formatFor, type LogFormat } from './formats.ts'
import { IMPORTANCE, type LogLine } from './line.ts'
import { redactedUrl } from './redacted-url.ts'
import { outletFor, Sink } from './sink.ts'

type Output = {
  readonly sink: Sink
  readonly format: LogFormat
  readonly threshold: number
}

/** What our own lines are called where an administrator sets levels of parts. */
const OWN_NAME = 'myelin'
/** Requests that come every few seconds and say nothing. */
const DULL = new Set(['getHealth', 'getMetrics'])

/** The log of a server: lays lines out and hands them to where the administrator wants them. */
export class Log implements AsyncDisposable {
  readonly #plan: LogPlan
  readonly #now: () => number
  readonly #outputs: readonly Output[]
  readonly #isForPrograms: boolean
  readonly #names = new Map<string, { readonly name: string; readonly threshold: number }>()
  readonly logger: Logger

  /** Throws where a file of the log cannot be opened. */
  constructor(plan: LogPlan, now: () => number) {
    this.#plan = plan
    this.#now = now
    this.#outputs = plan.outputs.map((output) => this.#open(output))
    this.#isForPrograms = plan.outputs.some(({ format }) => format === 'json')
    const threshold = this.#threshold(OWN_NAME)
    const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
      if (IMPORTANCE[level] <= threshold) this.#own(level, event, fields ?? {})
    }
    this.logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  /** Says why the process ends. */
  fatal(event: string, fields: LogFields): void {
    this.#own('fatal', event, fields)
  }

  /** Says that a request is over. */
  readonly answered = (request: AnsweredRequest): void => {
    const { name, threshold } = this.#access(request.tag)
    const isDull = (DULL.has(request.endpointId) || request.method === 'OPTIONS') && request.status < 400
    const level = isDull ? 'debug' : 'info'
    if (IMPORTANCE[level] > threshold) return
    this.#write({
      level,
      name,
      now: this.#now(),
      request: request.requestId,
      message: accessLine(request, redactedUrl(request.url)),
      fields: this.#isForPrograms ? accessFields(request) : {},
      isMessageWhole: true,
    })
  }

  /** Opens files anew, after another program has moved them away. */
  async reopen(): Promise<void> {
    await Promise.all(this.#outputs.map(({ sink }) => sink.reopen()))
  }

  /** Writes what is held back while the caller waits. */
  flushNow(): void {
    for (const { sink } of this.#outputs) sink.flushNow()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#outputs.map(({ sink }) => sink[Symbol.asyncDispose]()))
  }

  #own(level: LogLevel, message: string, fields: LogFields): void {
    const request = logContext()?.id
    this.#write({ level, name: OWN_NAME, now: this.#now(), request, message, fields, isMessageWhole: false })
  }

  #write(line: LogLine): void {
    const importance = IMPORTANCE[line.level]
    for (const { sink, format, threshold } of this.#outputs)
      if (importance <= threshold) sink.add(format(line), importance <= IMPORTANCE.warn)
  }

  #open(output: LogOutput): Output {
    const { target, level } = output
    const outlet = outletFor(target, this.#now())
    const isColored = target.kind !== 'file' && isatty(target.kind === 'stdout' ? 1 : 2)
    return {
      sink: new Sink({ outlet, now: this.#now }),
      format: formatFor(output, isColored),
      threshold: IMPORTANCE[level ?? 'trace'],
    }
  }

  #access(tag: string): { readonly name: string; readonly threshold: number } {
    const known = this.#names.get(tag)
    if (known !== undefined) return known
    const name = `synapse.access.http.${tag}`
    const made = { name, threshold: this.#threshold(name) }
    this.#names.set(tag, made)
    return made
  }

  /** The level of the part or of what it belongs to. */
  #threshold(name: string): number {
    for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const level = this.#plan.levels[part]
      if (level !== undefined) return IMPORTANCE[level]
    }
    return IMPORTANCE[this.#plan.level]
  }
}
