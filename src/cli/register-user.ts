import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Command, Option } from 'commander'
import { loadSection } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { section } from '#config/section.ts'
import { listeners } from '#config/sections/listeners.ts'
import { sharedSecret } from '#config/sections/registration.ts'
import { configOption, configPaths } from './config-paths.ts'
import { registerUser } from './register-request.ts'
import { askNewPassword, CommandFailure, type Terminal } from './terminal.ts'

type Options = {
  readonly user?: string
  readonly password?: string
  readonly passwordFile?: string
  readonly admin?: boolean
  readonly user_type?: string
  readonly existsOk?: true
  readonly config?: readonly string[]
  readonly sharedSecret?: string
}

/** Makes an account on a running server, with the shared secret. */
export const command = (terminal: Terminal): Command =>
  new Command('register-user')
    .description('Make an account on a running server, by means of registration_shared_secret.')
    .argument(
      '[server_url]',
      'where the server listens (default: its first listener for clients, or http://localhost:8008)',
    )
    .option('-u, --user <name>', 'the name before the colon (default: it is asked for)')
    .addOption(
      new Option('-p, --password <password>', 'the password (default: it is asked for)').conflicts('passwordFile'),
    )
    .option('--password-file <path>', 'a file with the password')
    .option('-a, --admin', 'an administrator of the server')
    .option('--no-admin', 'not an administrator of the server')
    .option('-t, --user_type <type>', 'a type of user, such as bot or support')
    .option('--exists-ok', 'it is no error that there is such a user')
    .addOption(configOption().conflicts('sharedSecret'))
    .option('-k, --shared-secret <secret>', 'the secret, instead of a configuration that has it')
    .action(async (url: string | undefined, options: Options) => {
      const secret = options.sharedSecret ?? secretOf(configPaths(options.config))
      const server = url ?? serverUrl(options, terminal)
      const username = options.user ?? (await askName(terminal))
      const password = await passwordFor(options, terminal)
      const isAdmin = options.admin ?? (await askAdmin(options, terminal))
      terminal.out('Sending registration request...')
      const account = { username, password, isAdmin, userType: options.user_type }
      const outcome = await registerUser(server, secret, account)
      if (outcome.ok) terminal.out('Success!')
      else if (outcome.isNameTaken && options.existsOk === true) terminal.out('There is such a user already.')
      else throw new CommandFailure(outcome.reason)
    })

const secretSection = section({ title: '', doc: '' }, { sharedSecret })

function secretOf(paths: readonly string[]): string {
  const read = loadSection(secretSection, paths)
  if (!read.ok) throw new CommandFailure(read.problems.map(formatProblem).join('\n'))
  if (read.value.sharedSecret === undefined)
    throw new CommandFailure(
      'The configuration has no registration_shared_secret, and no registration_shared_secret_path.',
    )
  return read.value.sharedSecret
}

function serverUrl({ config, sharedSecret: secret }: Options, terminal: Terminal): string {
  const read = secret === undefined ? loadSection(listeners, configPaths(config)) : undefined
  const ports = read?.ok === true ? read.value : []
  for (const { address, resources } of ports)
    if (address.kind === 'tcp' && resources.includes('client')) return `http://localhost:${address.port}`
  terminal.err('No listener for clients is known: trying http://localhost:8008.')
  return 'http://localhost:8008'
}

async function askName(terminal: Terminal): Promise<string> {
  if (!terminal.isInteractive) throw new CommandFailure('There is no name for the user: give it with -u.', 2)
  return terminal.ask('Name of the new user', userInfo().username)
}

async function passwordFor({ password, passwordFile }: Options, terminal: Terminal): Promise<string> {
  if (password !== undefined) return password
  if (passwordFile !== undefined) return passwordIn(passwordFile)
  if (terminal.isInteractive) return askNewPassword(terminal)
  throw new CommandFailure('There is no password: give it with -p or --password-file.', 2)
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CommandFailure(`The file ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** A type of user is asked for by scripts, which want no more questions. */
const askAdmin = async ({ user_type }: Options, terminal: Terminal): Promise<boolean> =>
  terminal.isInteractive && user_type === undefined ? terminal.confirm('An administrator of the server?') : false
