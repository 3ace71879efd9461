import type { TableProgress } from '#storage/port/table-run.ts'
import { PHASE_NAMES, type PortProgress, printDuration, shareOf } from './progress.ts'

/** How large the terminal is, and whether it shows colours. */
export type Canvas = { readonly columns: number; readonly rows: number; readonly hasColour: boolean }

const BAR = 20
const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const

/** Draws how far the port is, in as many lines as there is room for; what is running stands above what is done. */
export const drawFrame = (progress: PortProgress, canvas: Canvas): string[] => {
  const { columns, rows } = canvas
  const percent = `${Math.floor(progress.share * 100)}%`
  const left = progress.leftMs === undefined ? '' : `, ${printDuration(progress.leftMs)} left`
  const head = `${progress.step}  ${percent}  ${printDuration(progress.elapsedMs)}${left}`
  if (rows < 4 || columns < 30) return [fit(head, columns)]
  const rate = `${Math.round(progress.rate).toLocaleString('en')} rows/s`
  const lines = [paint(fit(`${head}  ${rate}`, columns), 'bold', canvas), '']
  const room = rows - lines.length - 1
  const tables = [...progress.tables.values()].sort(byUrgency)
  const shown = tables.length > room ? tables.slice(0, room - 1) : tables
  lines.push(...shown.map((table) => drawTable(table, canvas)))
  if (shown.length < tables.length) lines.push(fit(`  and ${tables.length - shown.length} more`, columns))
  return lines
}

const isRunning = (table: TableProgress) => shareOf(table) > 0 && table.phase !== 'done'
const rank = (table: TableProgress) => (isRunning(table) ? 0 : table.phase === 'done' ? 2 : 1)
const byUrgency = (a: TableProgress, b: TableProgress): number =>
  rank(a) - rank(b) || b.total - a.total || (a.table < b.table ? -1 : 1)

function drawTable(table: TableProgress, canvas: Canvas): string {
  const share = shareOf(table)
  const name = table.table.padStart(22).slice(-22)
  const bar = `[${'#'.repeat(Math.floor(share * BAR)).padEnd(BAR)}]`
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const rows = table.total.toLocaleString('en').padStart(13)
  const what = isRunning(table) || table.phase === 'done' ? PHASE_NAMES[table.phase] : 'waiting'
  const line = canvas.columns >= 76 ? `${name} ${bar} ${percent} ${rows}  ${what}` : `${name} ${percent}  ${what}`
  const colour = table.phase === 'done' ? 'green' : isRunning(table) ? 'yellow' : 'red'
  return paint(fit(line, canvas.columns), colour, canvas)
}

const fit = (line: string, columns: number): string => line.slice(0, Math.max(1, columns - 1))

const paint = (text: string, colour: keyof typeof COLOURS, { hasColour }: Canvas): string =>
  hasColour ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text
