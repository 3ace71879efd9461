import { dirname, resolve } from 'node:path'
import type { Random } from '#util/random.ts'
import { randomLetters } from '#util/random.ts'
import type { Config } from './config.ts'
import { readConfig, readSection } from './config.ts'
import type { Environment } from './environment.ts'
import { readEnvironment } from './environment.ts'
import type { FileAccess } from './files.ts'
import { noFiles, systemFiles } from './files.ts'
import { Findings } from './findings.ts'
import type { Notice, Problem } from './problem.ts'
import type { Section } from './section.ts'
import type { Source } from './sources.ts'
import { merge, readRoot, readSources } from './sources.ts'

/** What came of reading a configuration. `files` are those it was read from, folders unfolded. */
export type Loaded = (
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] }
) & { readonly notices: readonly Notice[]; readonly files: readonly string[] }

/** What to load. */
export type LoadRequest = {
  /** Files, and folders of `.yaml` files. Later ones count over earlier ones, one whole top-level key at a time. */
  readonly paths: readonly string[]
  /** Makes the secret files that are missing; without it nothing is written. */
  readonly random?: Random
  /** YAML of options that were given on the command line. They count over all files. */
  readonly commandLine?: string
}

/** Reads the configuration of a server. Tells all that is wrong with it at once, and all that has no effect. */
export function loadConfig({ paths, random, commandLine = '' }: LoadRequest): Loaded {
  const findings = new Findings()
  const read = readSources(paths, systemFiles, findings)
  const given = commandLine === '' ? undefined : readRoot('the command line', commandLine, findings)
  const source = given === undefined ? read : { ...read, root: merge([read.root, given]) }
  const configDirectory = resolve(dirname(source.files.at(-1) ?? '.'))
  return finish(source, findings, {
    files: systemFiles,
    configDirectory,
    workingDirectory: process.cwd(),
    newSecret: random === undefined ? undefined : () => randomLetters(random, 50),
    environment: systemEnvironment(),
  })
}

/** Reads a configuration that is given as text, as if it stood in `homeserver.yaml` in the root folder; other files do not exist. */
export function loadConfigText(text: string, files: FileAccess = noFiles): Loaded {
  const findings = new Findings()
  const name = 'homeserver.yaml'
  const source = { root: merge([readRoot(name, text, findings)], name), files: [name] }
  const environment = readEnvironment({})
  return finish(source, findings, {
    files,
    configDirectory: '/',
    workingDirectory: '/',
    newSecret: undefined,
    environment,
  })
}

/** One section, read for itself: what is wrong elsewhere does not matter, nor does what has no effect. */
export type LoadedSection<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads one section of a configuration, for commands that need no more. */
export function loadSection<T>(section: Section<T>, paths: readonly string[]): LoadedSection<T> {
  const findings = new Findings()
  const source = readSources(paths, systemFiles, findings)
  if (findings.problems.length > 0) return { ok: false, problems: findings.problems }
  const surroundings = {
    findings,
    files: systemFiles,
    configDirectory: resolve(dirname(source.files.at(-1) ?? '.')),
    workingDirectory: process.cwd(),
    newSecret: undefined,
    environment: systemEnvironment(),
  }
  const value = readSection(section, source, surroundings)
  return value === undefined || findings.problems.length > 0
    ? { ok: false, problems: findings.problems }
    : { ok: true, value }
}

/** The environment of this process. */
export const systemEnvironment = (): Environment => readEnvironment(process.env)

function finish(source: Source, findings: Findings, by: Omit<Parameters<typeof readConfig>[1], 'findings'>): Loaded {
  const { problems, notices } = findings
  const { files } = source
  // What could not be read at all would only give complaints about all that is missing.
  const config = problems.length === 0 ? readConfig(source, { ...by, findings }) : undefined
  problems.sort(byPlace)
  return config === undefined ? { ok: false, problems, notices, files } : { ok: true, config, notices, files }
}

/** In the order of the lines; files keep theirs. */
const byPlace = (a: Problem, b: Problem): number => {
  if (a.place === undefined || b.place === undefined || a.place.file !== b.place.file) return 0
  return a.place.line - b.place.line || a.place.column - b.place.column
}
