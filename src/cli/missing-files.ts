import { existsSync } from 'node:fs'
import { loadConfig, loadSection } from '#config/load.ts'
import { logConfigYaml } from '#config/log-template.ts'
import { formatProblem } from '#config/problem.ts'
import { section } from '#config/section.ts'
import { logConfig } from '#config/sections/logging.ts'
import { ensureSigningKeyFile } from '#config/signing-key-file.ts'
import { systemRandom } from '#util/random.ts'
import { writeNew } from './output-file.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

const logSection = section({ title: '', doc: '' }, { logConfig })

/** Makes what a configuration names and what is not there yet: settings of the log, the signing key, and secret files. */
export function makeMissingFiles(paths: readonly string[], logFile: string, terminal: Terminal): void {
  const log = loadSection(logSection, paths)
  const logPath = log.ok ? log.value.logConfig : undefined
  if (logPath !== undefined && !existsSync(logPath)) {
    writeNew(logPath, logConfigYaml(logFile), 0o644)
    terminal.out(`Made the settings of the log in ${logPath}.`)
  }
  const loaded = loadConfig({ paths, random: systemRandom })
  if (!loaded.ok) throw new CommandFailure(loaded.problems.map(formatProblem).join('\n'))
  const { path } = loaded.config.signingKeys
  const isMissing = !existsSync(path)
  const keys = ensureSigningKeyFile(path, systemRandom)
  if (!keys.ok) throw new CommandFailure(`${path}: ${keys.reason}`)
  if (isMissing) terminal.out(`Made a signing key in ${path}.`)
}
