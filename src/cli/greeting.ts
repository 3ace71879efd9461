import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '#config/config.ts'
import { VERSION } from '#server/version.ts'

type Greeted = {
  readonly config: Config
  /** Where it listens, as the sockets say. */
  readonly urls: readonly string[]
  /** The configuration that was read. */
  readonly paths: readonly string[]
  /** What of it was named with `-c`. */
  readonly named: readonly string[] | undefined
  /** The folder that was made just now. */
  readonly made: string | undefined
}

/** What is said once the server listens: where, where its data is, and how the first account is made as long as there is none. */
export const greeting =
  ({ config, urls, paths, named, made }: Greeted) =>
  (hasAccounts: boolean): readonly string[] => [
    ...(made === undefined ? [] : [`Made a configuration for a server called ${config.server.name} in ${made}.`]),
    `Myelin ${VERSION} listens on ${placesOf(urls).join(' and ') || 'nothing: no listener is configured'}.`,
    `Its data is in ${dataOf(config)}.`,
    ...(hasAccounts
      ? []
      : [
          `To make the first account, run: ${launcher()} register-user --admin${configOf(named === undefined ? [] : paths)}`,
        ]),
    'Press Ctrl+C to stop it.',
  ]

/** Addresses of this machine alone, and those of all of its networks, are one place to whoever reads it. */
const placesOf = (urls: readonly string[]): readonly string[] => [
  ...new Set(urls.map((url) => url.replace(/^http:\/\/(?:\[::1?\]|127\.0\.0\.1|0\.0\.0\.0):/, 'http://localhost:'))),
]

function dataOf({ database: { main }, media }: Config): string {
  if (main.engine === 'postgres') return `PostgreSQL and ${media.storePath}`
  const folder = dirname(main.path)
  return dirname(media.storePath) === folder ? folder : `${main.path} and ${media.storePath}`
}

/** The launcher as it can be typed here. */
function launcher(): string {
  const path = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin/myelin')
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? quoted(path) : quoted(near)
}

const configOf = (paths: readonly string[]): string => paths.map((path) => ` -c ${quoted(path)}`).join('')

/** As a shell takes it for one word. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
