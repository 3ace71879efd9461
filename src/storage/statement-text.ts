import type { Condition, Operation, Statement } from './operation.ts'
import type { RowCodec } from './row.ts'

/** A piece of SQL with `:column` placeholders resolved by a dialect. */
export type Placeholder = (columnName: string) => string

/** Puts a dialect's placeholders in the place of `:column`; a name that is no column of the row is an error of the program. */
export const fill = (text: string, codec: RowCodec<unknown>, placeholder: Placeholder): string =>
  text.replaceAll(/(?<!:):([a-z_][a-z0-9_]*)/g, (_, name: string) => {
    if (!codec.columns.some((column) => column.name === name)) throw new Error(`no column ${name} for: ${text}`)
    return placeholder(name)
  })

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

/** What stands where the rows of a batch come from. `source` is empty where a statement is run a row at a time. */
export type RowSource = { readonly placeholder: Placeholder; readonly source: string }

/** The statements, in order, that carry out an operation for the rows of `from`. */
export const operationStatements = (operation: Operation, from: RowSource): string[] => {
  const { statement, row } = operation
  const main = mainStatement(statement, row, from)
  const returning = operation.returning === undefined ? '' : ` RETURNING ${returningList(operation, from)}`
  return [...pruneStatements(statement, row, from), main + returning]
}

function returningList(operation: Operation, from: RowSource): string {
  const own = operation.returning?.columns.map(({ name }) => `t."${name}"`) ?? []
  return from.source === '' ? own.map((name) => name.slice(2)).join(', ') : ['r.n', ...own].join(', ')
}

type Insert = Extract<Statement, { readonly insert: string }>

function insertStatement(statement: Insert, row: RowCodec<unknown>, from: RowSource): string {
  const names = row.columns.map(({ name }) => name)
  const values = names.map((name) => from.placeholder(name)).join(', ')
  const into = `INSERT INTO ${statement.insert} AS t (${quoted(names)})`
  const conflict = statement.ignoreExisting === true ? ' ON CONFLICT DO NOTHING' : ''
  if (from.source === '' && statement.where === undefined) return `${into} VALUES (${values})${conflict}`
  const source = from.source === '' ? '' : ` FROM ${from.source}`
  const where = statement.where === undefined ? 'true' : fill(statement.where, row, from.placeholder)
  return `${into} SELECT ${values}${source} WHERE ${where}${conflict}`
}

function mainStatement(statement: Statement, row: RowCodec<unknown>, from: RowSource): string {
  const names = row.columns.map(({ name }) => name)
  const values = names.map((name) => from.placeholder(name)).join(', ')
  // SQLite needs a WHERE between a SELECT and ON CONFLICT; VALUES needs none.
  const rows = from.source === '' ? `VALUES (${values})` : `SELECT ${values} FROM ${from.source} WHERE true`
  if ('insert' in statement) return insertStatement(statement, row, from)
  if ('upsert' in statement) {
    const changed = names.filter((name) => !statement.key.includes(name))
    const set = changed.map((name) => `"${name}" = excluded."${name}"`).join(', ')
    const when = statement.when === undefined ? '' : ` WHERE ${statement.when}`
    const action = changed.length === 0 ? 'NOTHING' : `UPDATE SET ${set}${when}`
    return `INSERT INTO ${statement.upsert} AS t (${quoted(names)}) ${rows} ON CONFLICT (${quoted(statement.key)}) DO ${action}`
  }
  const where = fill(statement.where, row, from.placeholder)
  if ('update' in statement) {
    const source = from.source === '' ? '' : ` FROM ${from.source}`
    return `UPDATE ${statement.update} AS t SET ${fill(statement.set, row, from.placeholder)}${source} WHERE ${where}`
  }
  const using = from.source === '' ? '' : ` USING ${from.source}`
  return `DELETE FROM ${statement.remove} AS t${using} WHERE ${where}`
}

function pruneStatements(statement: Statement, row: RowCodec<unknown>, from: RowSource): string[] {
  const source = from.source === '' ? '' : `, ${from.source}`
  const prune = (table: string, match: string) =>
    `DELETE FROM log WHERE pos IN (SELECT t.pos FROM ${table} AS t${source} WHERE ${match})`
  if ('remove' in statement && statement.prunesLog === true) {
    return [prune(statement.remove, fill(statement.where, row, from.placeholder))]
  }
  if (!('upsert' in statement) || statement.prunesLog !== true) return []
  const match = [
    ...statement.key.map((name) => `t."${name}" = ${from.placeholder(name)}`),
    ...(statement.when === undefined
      ? []
      : [statement.when.replaceAll(/excluded\.([a-z_][a-z0-9_]*)/g, (_, name) => from.placeholder(name))]),
  ].join(' AND ')
  return [prune(statement.upsert, match)]
}

/** Whether the condition holds, as an SQL expression. */
export const conditionExpression = (condition: Condition, placeholder: Placeholder): string =>
  fill(condition.holds, condition.row, placeholder)
