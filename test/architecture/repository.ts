import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The files that match, by their paths in the repository, in order. */
export const filesOf = (...patterns: readonly string[]): readonly string[] =>
  globSync([...patterns], { cwd: ROOT }).sort()

/** The text of a file of the repository. */
export const textOf = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8')

/** The rows of the table in a page whose head has these names, without the head. */
export const tableOf = (page: string, ...head: readonly string[]): readonly (readonly string[])[] => {
  const lines = textOf(page).split('\n')
  const at = lines.indexOf(`| ${head.join(' | ')} |`)
  if (at === -1) throw new Error(`${page} has no table of ${head.join(', ')}`)
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('|'))
  return lines.slice(at + 2, end === -1 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** What stands in backticks in a text. */
export const quotedIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')
