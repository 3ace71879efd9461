import type { FileAccess } from './files.ts'
import type { Findings } from './findings.ts'
import type { Place } from './problem.ts'
import type { Located } from './yaml-document.ts'
import { readYaml } from './yaml-document.ts'

/** Configuration files made into one: of a key at the top that several files have, the last file's value counts whole. */
export type Source = { readonly root: Located; readonly files: readonly string[] }

/** Reads files and folders of `.yaml` files in the order given. What cannot be read is told to `findings`. */
export function readSources(paths: readonly string[], files: FileAccess, findings: Findings): Source {
  const names = paths.flatMap((path) => {
    const inFolder = files.list(path)
    if (inFolder?.length === 0) findings.fail(undefined, [path], 'There is no file that ends in .yaml in this folder.')
    return inFolder ?? [path]
  })
  const roots = names.map((name) => {
    const file = files.read(name)
    if (file.kind === 'text') return readRoot(name, file.text, findings)
    const reason = file.kind === 'missing' ? 'There is no such file.' : `The file cannot be read (${file.reason}).`
    findings.fail(undefined, [name], reason)
    return undefined
  })
  return { root: merge(roots, names.at(-1)), files: names }
}

/** One file's text, as a set of options. */
export function readRoot(name: string, text: string, findings: Findings): Located | undefined {
  const { root, problems, oddities } = readYaml(name, text)
  for (const { place, sentence } of problems) findings.fail(place, [], sentence)
  for (const { place, sentence } of oddities) findings.notice(place, [], sentence)
  if (root === undefined) {
    if (problems.length === 0) findings.notice(at(name), [], 'This file is empty.')
    return undefined
  }
  if (root.content.kind === 'map') return root
  findings.fail(root.place, [], 'Expected a set of options, each with a name and a colon.')
  return undefined
}

/** The top levels, one over the other. `name`: the file to name where what is missing is in none of them. */
export function merge(roots: readonly (Located | undefined)[], name = ''): Located {
  const entries = new Map<string, Located>()
  for (const root of roots) {
    if (root?.content.kind !== 'map') continue
    for (const [key, value] of root.content.entries) entries.set(key, value)
  }
  const last = roots.findLast((root) => root !== undefined)
  return { place: at(last?.place.file ?? name), keyPlace: undefined, content: { kind: 'map', entries } }
}

const at = (file: string): Place => ({ file, line: 1, column: 1 })
