import { appendFileSync, writeFileSync } from 'node:fs'
import type { WriteStream } from 'node:tty'
import { CommandFailure } from '#cli/terminal.ts'
import { EXIT } from './configuration.ts'
import { drawFrame } from './frame.ts'
import { PHASE_NAMES, type PortProgress, shareOf } from './progress.ts'

/** Shows how far a port is. */
export type Display = {
  /** A new step, or a table that moved on. */
  readonly changed: (table?: string) => void
  readonly note: (text: string) => void
  /** Keeps a line that is told at the end, where a file is written. */
  readonly record: (line: string) => void
  readonly close: () => void
}

const LINE_PAUSE_MS = 1_000
const FRAME_PAUSE_MS = 200
const LOG_FILE = 'port-synapse.log'

type Lines = { readonly out: (line: string) => void; readonly err: (line: string) => void }

/** A line for each step, and for each table as it moves on, for terminals and files alike. */
export const plainDisplay = (progress: PortProgress, { out, err }: Lines, now: () => number): Display => {
  const told = new Map<string, number>()
  let step = ''
  return {
    changed: (name) => {
      if (progress.step !== step) {
        step = progress.step
        out(`${step}...`)
      }
      const table = name === undefined ? undefined : progress.tables.get(name)
      if (table === undefined || table.total === 0) return
      if (table.phase !== 'done' && now() - (told.get(table.table) ?? Number.NEGATIVE_INFINITY) < LINE_PAUSE_MS) return
      told.set(table.table, now())
      const percent = Math.floor(shareOf(table) * 100)
      const rows = table.phase === 'done' ? table.total : table.done
      out(`${table.table}: ${percent}% (${rows}/${table.total}) ${PHASE_NAMES[table.phase]}`)
    },
    note: err,
    record: () => {},
    close: () => {},
  }
}

/** The whole screen, drawn anew five times a second; what else there is to say goes to `port-synapse.log`, as Synapse's script has it. */
export const screenDisplay = (
  progress: PortProgress,
  { screen, hasColour }: { readonly screen: WriteStream; readonly hasColour: boolean },
): Display => {
  beginLog()
  const log = (text: string) => appendFileSync(LOG_FILE, `${new Date().toISOString()} ${text}\n`)
  const draw = () => {
    const { columns = 80, rows = 24 } = screen
    const lines = drawFrame(progress, { columns, rows, hasColour })
    screen.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`)
  }
  let isOpen = true
  let step = ''
  const close = () => {
    if (!isOpen) return
    isOpen = false
    clearInterval(timer)
    screen.off('resize', draw)
    process.off('exit', close)
    for (const signal of SIGNALS) process.off(signal, ended)
    screen.write('\x1b[?25h\x1b[?1049l')
  }
  const ended = (signal: NodeJS.Signals) => {
    close()
    log(`Stopped by ${signal}.`)
    process.kill(process.pid, signal)
  }
  // The other screen, without a cursor.
  screen.write('\x1b[?1049h\x1b[?25l')
  const timer = setInterval(draw, FRAME_PAUSE_MS)
  timer.unref()
  screen.on('resize', draw)
  process.once('exit', close)
  for (const signal of SIGNALS) process.once(signal, ended)
  return {
    changed: (name) => {
      if (progress.step !== step) {
        step = progress.step
        log(step)
      }
      const table = name === undefined ? undefined : progress.tables.get(name)
      if (table?.phase === 'done') log(`${table.table}: ${table.total} rows done`)
    },
    note: log,
    record: log,
    close,
  }
}

function beginLog(): void {
  try {
    writeFileSync(LOG_FILE, '')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandFailure(
      `With --curses ${LOG_FILE} is written into this folder, and that cannot be done: ${reason}. Go to another folder.`,
      EXIT.failed,
    )
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
