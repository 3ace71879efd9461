import { Command } from 'commander'
import { loadConfig } from '#config/load.ts'
import { formatNotice, formatProblem } from '#config/problem.ts'
import { readSigningKeyFile } from '#config/signing-key-file.ts'
import { configOption, configPaths } from './config-paths.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

/** Reads the configuration as a start would, and starts nothing. */
export const command = (terminal: Terminal): Command =>
  new Command('check-config')
    .description('Say what is wrong with a configuration, and what in it has no effect. Changes nothing.')
    .addOption(configOption())
    .action(({ config: named }: { config?: readonly string[] }) => {
      const loaded = loadConfig({ paths: configPaths(named) })
      for (const notice of loaded.notices) terminal.out(formatNotice(notice))
      if (!loaded.ok) {
        for (const problem of loaded.problems) terminal.err(formatProblem(problem))
        throw new CommandFailure(`${counted(loaded.problems.length, 'error')}: Myelin would not start.`)
      }
      const { path } = loaded.config.signingKeys
      const keys = readSigningKeyFile(path)
      if (keys?.ok === false) throw new CommandFailure(`${path}: ${keys.reason}`)
      if (keys === undefined) terminal.out(`${path}: There is no signing key yet; the first start makes one.`)
      terminal.out(
        `The configuration of ${loaded.config.server.name} has no errors and ${counted(loaded.notices.length, 'notice')}.`,
      )
    })

const counted = (count: number, noun: string): string =>
  `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`
