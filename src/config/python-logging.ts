import { resolve } from 'node:path'
import { get, getString, isObject, type Json, type JsonObject } from '#util/json.ts'
import type { LogLevel, LogOutput, LogPlan, LogRotation } from './log-plan.ts'
import type { Context } from './section.ts'
import { readRoot } from './sources.ts'
import type { Located } from './yaml-document.ts'
import { find, plain } from './yaml-document.ts'

/** Reads a file for Python's `logging.config.dictConfig` as far as it can be followed; the rest is told as notices. */
export function readPythonLogging(file: string, context: Context): LogPlan {
  const read = context.files.read(file)
  if (read.kind !== 'text') {
    const reason = read.kind === 'missing' ? 'There is no such file' : `The file cannot be read (${read.reason})`
    context.fail(['log_config'], `${reason}: ${file}.`)
    return FALLBACK
  }
  const root = readRoot(file, read.text, context.findings)
  return root === undefined ? FALLBACK : new PythonLogging(root, context).plan()
}

const FALLBACK: LogPlan = { level: 'info', levels: {}, outputs: [] }

const LEVELS: Readonly<Record<string, LogLevel>> = {
  CRITICAL: 'fatal',
  FATAL: 'fatal',
  ERROR: 'error',
  WARNING: 'warn',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  NOTSET: 'trace',
}
const KEYS = ['version', 'formatters', 'filters', 'handlers', 'loggers', 'root', 'disable_existing_loggers']
const BUFFERS = ['synapse.logging.handlers.PeriodicallyFlushingMemoryHandler', 'logging.handlers.MemoryHandler']
const JSON_FORMATTERS = ['synapse.logging.JsonFormatter', 'synapse.logging.TerseJsonFormatter']

class PythonLogging {
  readonly #root: Located
  readonly #all: Json
  readonly #context: Context

  constructor(root: Located, context: Context) {
    this.#root = root
    this.#all = plain(root)
    this.#context = context
  }

  plan(): LogPlan {
    for (const key of isObject(this.#all) ? Object.keys(this.#all) : [])
      if (!KEYS.includes(key)) this.#notice([key], 'Not used: this part of Python logging has no meaning here.')
    const loggers = this.#part('loggers')
    const levels: Record<string, LogLevel> = {}
    for (const name of Object.keys(loggers)) {
      const level = this.#level(['loggers', name])
      if (level !== undefined) levels[name] = level
    }
    const handlers = [get(this.#all, 'root'), ...Object.values(loggers)].flatMap((logger) =>
      names(get(logger, 'handlers')),
    )
    const outputs = [...new Set(handlers)].flatMap((name) => this.#output(name, new Set()))
    return { level: levels['synapse'] ?? this.#level(['root']) ?? 'warn', levels, outputs: merged(outputs) }
  }

  /** What a handler writes to: one place, or none. A buffer stands for what it hands its lines to. */
  #output(name: string, seen: Set<string>): readonly LogOutput[] {
    const handler = this.#part('handlers')[name]
    if (handler === undefined || seen.has(name)) {
      this.#context.findings.fail(this.#place(['handlers']), ['handlers'], `There is no handler called ${name}.`)
      return []
    }
    const className = getString(handler, 'class') ?? ''
    if (BUFFERS.includes(className)) return this.#output(getString(handler, 'target') ?? '', seen.add(name))
    const target = this.#target(name, handler, className)
    const level = this.#level(['handlers', name])
    return target === undefined ? [] : [{ target, ...this.#format(getString(handler, 'formatter')), level }]
  }

  #target(name: string, handler: Json, className: string): LogOutput['target'] | undefined {
    const rotation = rotationOf(handler, className)
    if (className === 'logging.NullHandler') return undefined
    if (className === 'logging.StreamHandler')
      return { kind: getString(handler, 'stream')?.endsWith('stdout') === true ? 'stdout' : 'stderr' }
    const file = getString(handler, 'filename')
    if (rotation !== undefined && file !== undefined)
      return { kind: 'file', path: resolve(this.#context.workingDirectory, file), rotation }
    const problem = rotation === undefined ? `Myelin has no handler like ${className}` : 'It has no filename'
    this.#notice(['handlers', name], `Not used: ${problem}, so that its lines go nowhere.`)
    return undefined
  }

  #format(name: string | undefined): Pick<LogOutput, 'format' | 'pattern'> {
    const formatter = name === undefined ? undefined : this.#part('formatters')[name]
    const className = getString(formatter, 'class') ?? getString(formatter, '()')
    if (className !== undefined && JSON_FORMATTERS.includes(className)) return { format: 'json', pattern: undefined }
    if (className !== undefined && className !== 'logging.Formatter')
      this.#notice(['formatters', name ?? ''], `Not used: Myelin has no formatter like ${className}, and writes text.`)
    return { format: 'text', pattern: getString(formatter, 'format') }
  }

  #level(path: readonly string[]): LogLevel | undefined {
    const located = find(this.#root, [...path, 'level'])
    const [first, second] = path
    const owner = second === undefined ? get(this.#all, first ?? '') : this.#part(first ?? '')[second]
    const written = get(owner, 'level')
    if (written === undefined || written === null) return undefined
    const level = LEVELS[String(written).toUpperCase()]
    if (level === undefined)
      this.#context.findings.fail(
        located.place,
        [...path, 'level'],
        `Expected one of ${Object.keys(LEVELS).join(', ')}.`,
      )
    return level
  }

  #part(key: string): JsonObject {
    const part = get(this.#all, key)
    return isObject(part) ? part : {}
  }

  #place(path: readonly string[]) {
    const located = find(this.#root, path)
    return located.keyPlace ?? located.place
  }

  #notice(path: readonly string[], sentence: string): void {
    this.#context.findings.notice(this.#place(path), path, sentence)
  }
}

/** When the file of a handler is put aside; `undefined` where the handler has no file. */
function rotationOf(handler: Json, className: string): LogRotation | undefined {
  const kept = Number(get(handler, 'backupCount') ?? 0)
  switch (className) {
    case 'logging.FileHandler':
    case 'logging.handlers.WatchedFileHandler':
      return { kind: 'none' }
    case 'logging.handlers.RotatingFileHandler': {
      const maxBytes = Number(get(handler, 'maxBytes') ?? 0)
      return maxBytes > 0 && kept > 0 ? { kind: 'size', maxBytes, kept } : { kind: 'none' }
    }
    case 'logging.handlers.TimedRotatingFileHandler': {
      const when = (getString(handler, 'when') ?? 'h').toLowerCase()
      return { kind: 'time', every: ['h', 'm', 's'].includes(when) ? 'hour' : 'day', kept }
    }
    default:
      return undefined
  }
}

const names = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []

/** A file that is reached directly and through a buffer is written to once. */
const merged = (outputs: readonly LogOutput[]): readonly LogOutput[] => {
  const byTarget = new Map(outputs.map((output) => [JSON.stringify(output.target), output]))
  return [...byTarget.values()]
}
