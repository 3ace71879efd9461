import { Command, CommanderError } from 'commander'
import { CommandFailure, systemTerminal, type Terminal } from './terminal.ts'
import { versionText } from './version.ts'

/** Builds a command; what it does when it is called is to be awaited. */
type CommandModule = { readonly command: (terminal: Terminal) => Command }

/** All commands by name. Only the one that is called is loaded. */
const commands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  start: () => import('./start.ts'),
  'generate-config': () => import('./generate-config.ts'),
  'check-config': () => import('./check-config.ts'),
  'check-database': () => import('./check-database.ts'),
  'generate-log-config': () => import('./generate-log-config.ts'),
  'generate-signing-key': () => import('./generate-signing-key.ts'),
  'export-signing-key': () => import('./export-signing-key.ts'),
  'hash-password': () => import('./hash-password.ts'),
  'port-database': () => import('./port-database.ts'),
  'register-user': () => import('./register-user.ts'),
  synctl: () => import('./synctl.ts'),
  version: () => import('./version.ts'),
}

/** Runs the command that the arguments name, and gives the exit code: 0 done, 1 not done, 2 not understood. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = await programFor(args, terminal)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommandFailure) {
      if (error.message !== '') terminal.err(error.message)
      return error.exitCode
    }
    // commander has told it already, through `writeErr`.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

async function programFor(args: readonly string[], terminal: Terminal): Promise<Command> {
  const [first] = args
  const only = first !== undefined && Object.hasOwn(commands, first) ? commands[first] : undefined
  const modules = await Promise.all((only === undefined ? Object.values(commands) : [only]).map((load) => load()))
  const program = new Command('myelin')
    .description('A Matrix homeserver.')
    .version(versionText(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
  for (const { command } of modules) program.addCommand(command(terminal))
  if (first === undefined) program.action(() => program.help({ error: true }))
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
  return program
}

/** As a program that SIGPIPE ends: whoever read the output has gone, and what else is wrong with it is an error. A server goes on. */
function endWithOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? 141 : 74))
}

if (import.meta.main) {
  if (process.argv[2] !== 'start') endWithOutput()
  process.exitCode = await run(process.argv.slice(2), systemTerminal())
}
