import { stdout } from 'node:process'
import { logContext } from '#util/log-context.ts'
import type { LogFields, Logger } from '#util/logger.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Writes lines for humans to the terminal. */
export const terminalLogger = (now: () => number): Logger => {
  const write =
    (level: Level) =>
    (event: string, fields: LogFields = {}) => {
      const context = logContext()
      const printed = Object.entries(fields).map(
        ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      const parts = [
        new Date(now()).toISOString(),
        level.toUpperCase().padEnd(5),
        context?.id ?? '-',
        event,
        ...printed,
      ]
      stdout.write(`${parts.join(' ')}\n`)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
