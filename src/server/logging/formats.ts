import type { LogLevel, LogOutput } from '#config/log-plan.ts'
import { LEVEL_NAMES, type LogLine, messageOf } from './line.ts'
import { pythonFormat } from './python-format.ts'

/** Lays a line out; the line feed at the end is part of it. */
export type LogFormat = (line: LogLine) => string

/** The layout that the administrator asked for. `isColored`: for a terminal that shows colours. */
export const formatFor = (output: LogOutput, isColored: boolean): LogFormat => {
  if (output.format === 'json') return jsonFormat
  return output.pattern === undefined ? textFormat(isColored) : pythonFormat(output.pattern)
}

const COLORS: Partial<Record<LogLevel, string>> = { fatal: '31;1', error: '31', warn: '33', debug: '2', trace: '2' }

/** `2026-11-22T20:11:04.123Z WARNING GET-17 event key=value` */
const textFormat = (isColored: boolean): LogFormat => {
  const time = isoTime()
  return (line) => {
    const name = LEVEL_NAMES[line.level].padEnd(8)
    const color = isColored ? COLORS[line.level] : undefined
    const level = color === undefined ? name : `\u001b[${color}m${name}\u001b[0m`
    return `${time(line.now)} ${level} ${line.request ?? '-'} ${messageOf(line)}\n`
  }
}

/** One object a line, with the keys that Synapse's `TerseJsonFormatter` has, and then the line's own fields. */
const jsonFormat: LogFormat = ({ level, name, now, request, message, fields }) =>
  `${JSON.stringify({
    ...fields,
    log: message,
    namespace: name,
    level: LEVEL_NAMES[level],
    time: now / 1000,
    ...(request === undefined ? {} : { request }),
  })}\n`

/** Times in UTC; what is the same for a whole second is laid out once. */
const isoTime = (): ((now: number) => string) => {
  let second = Number.NaN
  let text = ''
  return (now) => {
    const wanted = Math.floor(now / 1000)
    if (wanted !== second) {
      second = wanted
      text = new Date(wanted * 1000).toISOString().slice(0, 20)
    }
    return `${text}${String(Math.floor(now) % 1000).padStart(3, '0')}Z`
  }
}
