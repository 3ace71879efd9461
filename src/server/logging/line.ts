import type { LogLevel } from '#config/log-plan.ts'
import type { LogFields } from '#util/logger.ts'

/** A line of the log before it is laid out. */
export type LogLine = {
  readonly level: LogLevel
  /** Of the part that says it, such as `synapse.access.http.8008`. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Names the request or the task that it is about; `undefined` outside of them. */
  readonly request: string | undefined
  readonly message: string
  readonly fields: LogFields
  /** The message says what is in the fields already. */
  readonly isMessageWhole: boolean
}

/** Levels by importance: a line is written where its level's number is not above the threshold's. */
export const IMPORTANCE: Readonly<Record<LogLevel, number>> = {
  fatal: 0,
  error: 1,
  warn: 2,
  info: 3,
  debug: 4,
  trace: 5,
}

/** Names of levels as Python's logging has them. */
export const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  fatal: 'CRITICAL',
  error: 'ERROR',
  warn: 'WARNING',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
}

/** The message as people read it, with the fields. Nothing in it can look like a line of its own or steer a terminal. */
export const messageOf = ({ message, fields, isMessageWhole }: LogLine): string => {
  if (isMessageWhole) return clean(message)
  let text = message
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) text += ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`
  }
  return clean(text)
}

const UNPRINTABLE = /[\p{Cc}\u2028\u2029]/u
const EACH_UNPRINTABLE = /[\p{Cc}\u2028\u2029]/gu

/** Further lines are indented, so that they are seen to belong to the first. */
const clean = (text: string): string =>
  UNPRINTABLE.test(text)
    ? text.replaceAll(EACH_UNPRINTABLE, (one) =>
        one === '\n' ? '\n    ' : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : text
