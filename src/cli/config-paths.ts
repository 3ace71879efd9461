import { existsSync } from 'node:fs'
import { Option } from 'commander'
import { CommandFailure } from './terminal.ts'

/** `-c`, which may be given several times. */
export const configOption = (): Option =>
  new Option(
    '-c, --config <path>',
    'a configuration file, or a folder of .yaml files; of several, later ones count (default: homeserver.yaml or data/homeserver.yaml)',
  ).argParser(collect)

/** Gathers the values of an option that may be given several times. It does not take what follows: that may be an argument. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
]

/** The configuration to read: what was named, or what is found where it usually is. */
export function configPaths(named: readonly string[] | undefined): readonly string[] {
  if (named !== undefined && named.length > 0) return named
  const found = ['homeserver.yaml', 'data/homeserver.yaml'].find((path) => existsSync(path))
  if (found === undefined)
    throw new CommandFailure('There is no homeserver.yaml here: name the configuration with -c.', 2)
  return [found]
}
