import { EXIT, type RunningServer } from '#server/main.ts'
import type { Terminal } from './terminal.ts'

/** A stop that takes longer than this is told of, and can be cut short. Of one Ctrl+C, npm makes two signals at once. */
const PATIENCE_MS = 150
/** A stop that takes longer than this does not come to an end. */
const LAST_MS = 20_000
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Stops the server at SIGTERM or SIGINT; a second one ends the process at once. SIGHUP opens the files of the log anew. */
export async function endedBySignal(running: RunningServer, terminal: Terminal): Promise<void> {
  const { log } = running
  const reopen = () => {
    log.reopen().catch((error: unknown) => log.logger.error('log_not_reopened', { error: String(error) }))
  }
  process.on('SIGHUP', reopen)
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve())
  })
  const late = setTimeout(() => {
    terminal.out('Stopping: open requests are being answered. Press Ctrl+C again to end at once.')
    for (const signal of SIGNALS) process.on(signal, () => end(running, 130))
  }, PATIENCE_MS)
  setTimeout(() => {
    terminal.err('Myelin did not stop in time, and is ended. Nothing that was acknowledged is lost.')
    end(running, EXIT.program)
  }, LAST_MS).unref()
  await running[Symbol.asyncDispose]()
  clearTimeout(late)
  process.off('SIGHUP', reopen)
}

/** An error that nobody caught is written down, and ends the process: what is in memory can no longer be trusted. */
export function watchForAccidents({ log }: RunningServer): void {
  // Whoever read the output is gone; the server goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('uncaughtException', (error: unknown) => {
    log.fatal('uncaught_exception', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    log.flushNow()
    process.exit(EXIT.program)
  })
}

function end({ log }: RunningServer, exitCode: number): void {
  log.flushNow()
  process.exit(exitCode)
}
