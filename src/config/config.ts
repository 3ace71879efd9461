import { database } from '#config/sections/database.ts'
import { experiments } from '#config/sections/experiments.ts'
import { listeners } from '#config/sections/listeners.ts'
import { logging } from '#config/sections/logging.ts'
import { media } from '#config/sections/media.ts'
import { passwords } from '#config/sections/passwords.ts'
import { profiles } from '#config/sections/profiles.ts'
import { rateLimits } from '#config/sections/rate-limits.ts'
import { registration } from '#config/sections/registration.ts'
import { rooms } from '#config/sections/rooms.ts'
import { server } from '#config/sections/server.ts'
import { sessions } from '#config/sections/sessions.ts'
import { signingKeys } from '#config/sections/signing-keys.ts'
import { wellKnown } from '#config/sections/well-known.ts'
import { isObject, type Json } from '#util/json.ts'
import type { Environment } from './environment.ts'
import type { FileAccess } from './files.ts'
import type { Findings } from './findings.ts'
import { unusedOptions } from './known-options.ts'
import type { Level } from './option.ts'
import { prepareLevel } from './prepare.ts'
import type { Context, Section, SectionValue } from './section.ts'
import type { Source } from './sources.ts'
import type { Located } from './yaml-document.ts'
import { find, placeOf, plain } from './yaml-document.ts'

/** All sections, in the order of the manual. */
export const sections = {
  server,
  listeners,
  database,
  logging,
  signingKeys,
  registration,
  passwords,
  sessions,
  profiles,
  rooms,
  media,
  rateLimits,
  wellKnown,
  experiments,
} satisfies Record<string, Section<unknown>>
type Sections = typeof sections

/** The configuration of a server: read once at the start, and handed down a section at a time. */
export type Config = { readonly [K in keyof Sections]: SectionValue<Sections[K]> } & {
  readonly environment: Environment
}

/** All that may stand at the top of a configuration file. */
export const topLevel: Level = {
  options: Object.values(sections).flatMap((section) => section.options),
  unused: unusedOptions.flatMap(({ options }) => options),
}

/** What reading needs from outside. */
export type Surroundings = {
  readonly findings: Findings
  readonly files: FileAccess
  readonly environment: Environment
  readonly workingDirectory: string
  readonly configDirectory: string
  readonly newSecret: (() => string) | undefined
}

/** Makes a `Config` of what stands in the files. Tells everything that is wrong; then the value is `undefined`. */
export function readConfig(source: Source, by: Surroundings): Config | undefined {
  const raw = prepareLevel(topLevel, source.root, [], by)
  const context = contextOf(source, by)
  const onIssue = (path: readonly PropertyKey[], sentence: string) => context.fail(path, sentence)
  const read = <T>(section: Section<T>): T | undefined => section.read(raw, context, onIssue)
  const values = Object.fromEntries(Object.entries(sections).map(([name, section]) => [name, read<unknown>(section)]))
  return by.findings.problems.length === 0 ? ({ ...values, environment: by.environment } as Config) : undefined
}

/** Reads one section; of what stands in the files, only its own options are looked at. */
export function readSection<T>(section: Section<T>, source: Source, by: Surroundings): T | undefined {
  const keys = new Set(section.options.flatMap(({ key, pathKey }) => (pathKey === undefined ? [key] : [key, pathKey])))
  const { content } = source.root
  const own = content.kind === 'map' ? [...content.entries].filter(([key]) => keys.has(key)) : []
  const root: Located = { ...source.root, content: { kind: 'map', entries: new Map(own) } }
  const raw = prepareLevel({ options: section.options, unused: [] }, root, [], by)
  const context = contextOf(source, by)
  return section.read(raw, context, (path, sentence) => context.fail(path, sentence))
}

function contextOf({ root }: Source, by: Surroundings): Context {
  const written = plain(root)
  const given = (key: string): Json | undefined => (isObject(written) ? (written[key] ?? undefined) : undefined)
  const name = given('server_name')
  return {
    workingDirectory: by.workingDirectory,
    configDirectory: by.configDirectory,
    serverName: typeof name === 'string' ? name : '',
    given,
    isGiven: (key) => isObject(written) && Object.hasOwn(written, key),
    fail: (path, sentence) => by.findings.fail(placeOf(find(root, path)), path, sentence),
    notice: (path, sentence) => {
      const located = find(root, path)
      by.findings.notice(located.keyPlace ?? located.place, path, sentence)
    },
    files: by.files,
    findings: by.findings,
  }
}
