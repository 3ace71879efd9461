import type { Damage } from '#storage/counters/damage.ts'
import type { CounterPair } from '#storage/port/compare-books.ts'
import type { PortReport } from '#storage/port/port.ts'
import type { TableResult } from '#storage/port/table-run.ts'

const MOST_LISTED = 50
const NAMES = ['table', 'rows in source', 'rows in target', 'added', 'changed', 'removed', 'checksum', ''] as const

/** What a port did and found: every table on both sides, what was wrong with counters, and lists of what differs and what was odd. */
export const printReport = (report: PortReport): string[] => [
  ...printTables(report.tables),
  '',
  ...printCounters(report.counters),
  ...report.mended.map((sentence) => `Mended in the copy: ${sentence}`),
  ...printWrongCounters(report.wrongCounters),
  ...listed('differ', report.tables, ({ differences }) => ({
    count: differences.count,
    lines: differences.items.map(
      ({ table, key, kind, columns }) =>
        `${table} ${key}: ${kind}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`,
    ),
  })),
  ...listed('could not be carried over as they were', report.tables, ({ oddities }) => ({
    count: oddities.count,
    lines: oddities.items.map(
      ({ table, key, column, kind, reason }) =>
        `${table} ${key}${column === '' ? '' : ` ${column}`}: ${reason}${kind === 'impossible' ? '; the row is not in the copy' : ''}`,
    ),
  })),
]

function printWrongCounters(damages: readonly Damage[]): string[] {
  if (damages.length === 0) return []
  const sql = damages.flatMap((damage) => damage.sql)
  return [
    'Counters do not agree with the tables, as when a part of the database was restored or changed by hand:',
    ...damages.map(({ sentence }) => `- ${sentence}`),
    ...(sql.length === 0 ? [] : ['The SQL that makes it right:', ...sql.map((statement) => `${statement};`)]),
  ]
}

function printTables(tables: readonly TableResult[]): string[] {
  const cells = tables.map((one) => [
    one.table,
    String(one.sourceRows),
    String(one.targetRows),
    String(one.added),
    String(one.updated),
    String(one.removed),
    one.sourceSum === one.targetSum ? one.sourceSum : `${one.sourceSum} ${one.targetSum}`,
    one.sourceSum === one.targetSum
      ? 'equal'
      : one.differences.count === 0
        ? 'equal but for what is listed'
        : 'DIFFERS',
  ])
  return aligned([NAMES, ...cells], (column) => column === 0 || column > 5)
}

function printCounters(counters: readonly CounterPair[]): string[] {
  if (counters.length === 0) return []
  const cells = counters.map(({ counter, source, target, standing }) => [
    counter,
    source,
    target,
    standing === 'wrong' ? 'DIFFERS' : standing,
  ])
  return [...aligned([['counter', 'in source', 'in target', ''], ...cells], (column) => column === 0 || column > 2), '']
}

/** Rows of cells as lines, in columns that start or end in one place. */
function aligned(rows: readonly (readonly string[])[], isToTheLeft: (column: number) => boolean): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isToTheLeft(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

type Part = { readonly count: number; readonly lines: readonly string[] }

function listed(title: string, tables: readonly TableResult[], partOf: (table: TableResult) => Part): string[] {
  const parts = tables.map(partOf)
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  if (count === 0) return []
  const lines = parts.flatMap((part) => part.lines).slice(0, MOST_LISTED)
  const more = count > lines.length ? [`  and ${count - lines.length} more`] : []
  return [`${count} ${count === 1 ? 'row' : 'rows'} ${title}:`, ...lines.map((line) => `  ${line}`), ...more]
}
