import { LEVEL_NAMES, type LogLine, messageOf } from './line.ts'

type Part = string | ((line: LogLine) => string)

const DIRECTIVE = /%(?:\((\w+)\)([-0]?\d*)(?:\.\d+)?[sdf]|%)/g

/** The layout of a line as Python's `logging.Formatter` writes it, such as `%(asctime)s - %(levelname)-8s - %(message)s`. */
export const pythonFormat = (pattern: string): ((line: LogLine) => string) => {
  const parts: Part[] = []
  let end = 0
  for (const match of pattern.matchAll(DIRECTIVE)) {
    parts.push(pattern.slice(end, match.index))
    end = match.index + match[0].length
    const [, name, width] = match
    parts.push(name === undefined ? '%' : padded(attribute(name), width ?? ''))
  }
  parts.push(pattern.slice(end))
  return (line) => `${parts.map((part) => (typeof part === 'string' ? part : part(line))).join('')}\n`
}

function padded(text: (line: LogLine) => string, width: string): (line: LogLine) => string {
  const columns = Math.abs(Number(width))
  if (columns === 0 || Number.isNaN(columns)) return text
  return width.startsWith('-')
    ? (line) => text(line).padEnd(columns)
    : (line) => text(line).padStart(columns, width.startsWith('0') ? '0' : ' ')
}

/** What Python knows of a line. What only Python has is empty, or 0 where it is a number. */
function attribute(name: string): (line: LogLine) => string {
  switch (name) {
    case 'asctime': {
      const time = localTime()
      return ({ now }) => time(now)
    }
    case 'created':
      return ({ now }) => String(now / 1000)
    case 'msecs':
      return ({ now }) => String(Math.floor(now) % 1000)
    case 'levelname':
      return ({ level }) => LEVEL_NAMES[level]
    case 'name':
      return (line) => line.name
    case 'message':
      return messageOf
    case 'request':
      return ({ request }) => request ?? 'sentinel'
    case 'lineno':
    case 'levelno':
    case 'process':
    case 'thread':
      return () => '0'
    default:
      return () => ''
  }
}

/** `2026-11-22 20:11:04,123` where the server stands. */
const localTime = (): ((now: number) => string) => {
  let second = Number.NaN
  let text = ''
  return (now) => {
    const wanted = Math.floor(now / 1000)
    if (wanted !== second) {
      second = wanted
      text = localStamp(new Date(now))
    }
    return `${text},${String(Math.floor(now) % 1000).padStart(3, '0')}`
  }
}

const two = (number: number): string => String(number).padStart(2, '0')

/** `2026-11-22 20:11:04` where the server stands. */
export const localStamp = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
