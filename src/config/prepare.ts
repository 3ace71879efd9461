import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '#util/json.ts'
import type { FileAccess } from './files.ts'
import type { Findings } from './findings.ts'
import type { AnyOption, Kind, Level, Unused } from './option.ts'
import { didYouMean } from './sentence.ts'
import type { Located } from './yaml-document.ts'
import { placeOf, plain } from './yaml-document.ts'

/** What the values need from outside before they can be judged. */
export type Preparation = {
  readonly findings: Findings
  readonly files: FileAccess
  readonly workingDirectory: string
  /** Makes the content of a missing secret file; `undefined`: files are only read. */
  readonly newSecret: (() => string) | undefined
}
type Path = readonly (string | number)[]

/**
 * One level of the file, ready for its schema: secrets are read from their files, paths are absolute, options that are
 * not given (`null`) are gone, and so are those that are not used (told as notices) or not known (told as problems).
 */
export function prepareLevel(level: Level, located: Located, path: Path, by: Preparation): Json {
  if (located.content.kind !== 'map') return plain(located)
  const prepared: Record<string, Json> = {}
  const { entries } = located.content
  for (const [key, value] of entries) {
    const option = level.options.find((candidate) => candidate.key === key || candidate.pathKey === key)
    if (option === undefined) judgeOther(level, key, value, path, by)
    else {
      const ready = prepareOption(option, key, entries, path, by)
      if (ready !== undefined) prepared[option.key] = ready
    }
  }
  for (const { key, kind, default: otherwise } of level.options)
    if (kind.isPath === true && typeof otherwise === 'string') prepared[key] ??= resolve(by.workingDirectory, otherwise)
  return prepared
}

function prepareOption(
  option: AnyOption,
  key: string,
  entries: ReadonlyMap<string, Located>,
  path: Path,
  by: Preparation,
): Json | undefined {
  const value = entries.get(key)
  if (value === undefined || !(isGiven(value) || option.kind.acceptsNull === true)) return undefined
  if (key !== option.key) return readSecret(option, value, entries, path, by)
  return prepareValue(option.kind, value, [...path, key], by)
}

function prepareValue(kind: Kind<unknown>, located: Located, path: Path, by: Preparation): Json {
  const { content } = located
  const { inner } = kind
  if (kind.isPath === true && content.kind === 'scalar' && typeof content.value === 'string' && content.value !== '')
    return resolve(by.workingDirectory, content.value)
  if (inner?.shape === 'object') return prepareLevel(inner, located, path, by)
  if (inner?.shape === 'list' && content.kind === 'list')
    return content.items.map((item, index) => prepareLevel(inner, item, [...path, index], by))
  if (inner?.shape === 'map' && content.kind === 'map')
    return Object.fromEntries(
      [...content.entries].map(([key, value]) => [key, prepareLevel(inner, value, [...path, key], by)]),
    )
  return plain(located)
}

/** The content of the file that `…_path` names, without white space around it; `undefined` where there is none to use. */
function readSecret(
  option: AnyOption,
  located: Located,
  siblings: ReadonlyMap<string, Located>,
  path: Path,
  by: Preparation,
): string | undefined {
  const here = [...path, option.pathKey ?? '']
  const fail = (sentence: string) => {
    by.findings.fail(placeOf(located), here, sentence)
    return undefined
  }
  const name = plain(located)
  if (typeof name !== 'string') return fail('Expected the path of a file.')
  const twin = siblings.get(option.key)
  if (twin !== undefined && isGiven(twin))
    return fail(`${option.key} is given as well, and only one of the two can count.`)
  const file = resolve(by.workingDirectory, name)
  const read = by.files.read(file)
  if (read.kind === 'unreadable') return fail(`The file ${name} cannot be read (${read.reason}).`)
  if (read.kind === 'text') return read.text.trim() === '' ? fail(`The file ${name} is empty.`) : read.text.trim()
  if (!option.isMadeWhenMissing) return fail(`There is no file ${name}.`)
  if (by.newSecret === undefined) {
    by.findings.notice(placeOf(located), here, `There is no file ${name} yet; it is made at the next start.`)
    return undefined
  }
  const made = by.newSecret()
  by.files.create(file, `${made}\n`)
  return made
}

function judgeOther(level: Level, key: string, located: Located, path: Path, by: Preparation): void {
  const place = located.keyPlace ?? located.place
  const unused = level.unused.find((candidate) => candidate.key === key)
  if (unused !== undefined) {
    const isHarmless = !isGiven(located) || unused.harmless.some((value) => isDeepStrictEqual(value, plain(located)))
    if (!isHarmless) by.findings.notice(place, [...path, key], standingText(unused), unused.isProtection)
  } else if (path.length === 0 && key.startsWith('x-')) {
    by.findings.notice(place, [key], 'Not read: names that start with x- are for your own use.')
  } else {
    const known = level.options.flatMap((option) => [
      option.key,
      ...(option.pathKey === undefined ? [] : [option.pathKey]),
    ])
    const candidates = [...known, ...level.unused.map((candidate) => candidate.key)]
    by.findings.fail(place, [...path, key], `There is no such option.${didYouMean(key, candidates)}`)
  }
}

/** Why an option of Synapse has no effect, as the notice and the manual say it. */
export const standingText = ({ standing, sentence }: Unused): string =>
  `${standing === 'notYet' ? 'Not used yet' : 'Does not apply'}: ${sentence}`

const isGiven = ({ content }: Located): boolean => content.kind !== 'scalar' || content.value !== null
