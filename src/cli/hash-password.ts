import { Command } from 'commander'
import { loadSection } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { passwords } from '#config/sections/passwords.ts'
import { hashPassword, MAX_PASSWORD_BYTES, passwordBytes } from '#util/password-hash.ts'
import { configOption, configPaths } from './config-paths.ts'
import { askNewPassword, CommandFailure, type Terminal } from './terminal.ts'

/** The hash of a password, as the database has it. */
export const command = (terminal: Terminal): Command =>
  new Command('hash-password')
    .description('Print the hash of a password, as the database keeps it. It depends on pepper and bcrypt_rounds.')
    .addOption(configOption())
    .option('-p, --password <password>', 'the password (default: what is piped in, or else it is asked for)')
    .action(async ({ config: named, password: given }: { config?: readonly string[]; password?: string }) => {
      const section = loadSection(passwords, configPaths(named))
      if (!section.ok) throw new CommandFailure(section.problems.map(formatProblem).join('\n'))
      const { pepper, bcryptRounds } = section.value
      const password = given ?? (await readPassword(terminal))
      if (passwordBytes(password, pepper).isCut)
        terminal.err(
          `Only the first ${MAX_PASSWORD_BYTES} bytes of password and pepper count: bcrypt looks at no more.`,
        )
      terminal.out(await hashPassword(password, { pepper, rounds: bcryptRounds }))
    })

async function readPassword(terminal: Terminal): Promise<string> {
  if (terminal.isInteractive) return askNewPassword(terminal)
  const password = (await terminal.input()).trim()
  if (password === '') throw new CommandFailure('There is no password: give it with -p, or pipe it in.')
  return password
}
