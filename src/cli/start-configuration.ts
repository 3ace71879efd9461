import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { ensureDefaultConfiguration } from '#config/default-configuration.ts'
import { systemRandom } from '#util/random.ts'
import { configPaths } from './config-paths.ts'

/** What a start reads, and the folder that was made just now, if one was. */
export type StartConfiguration = { readonly paths: readonly string[]; readonly made: string | undefined }

/** The configuration that was named or that is found; where there is none, a new one in `data/`. */
export function startConfiguration({ configPath }: { readonly configPath?: readonly string[] }): StartConfiguration {
  if (configPath !== undefined || existsSync('homeserver.yaml'))
    return { paths: configPaths(configPath), made: undefined }
  const { path, isNew } = ensureDefaultConfiguration('data', systemRandom)
  return { paths: [path], made: isNew ? dirname(path) : undefined }
}
