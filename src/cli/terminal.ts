import { text as readAll } from 'node:stream/consumers'

/** What a command talks to: the terminal, or the program that started it. */
export type Terminal = {
  /** Writes a line of what was asked for. */
  readonly out: (line: string) => void
  /** Writes a line about how it went. */
  readonly err: (line: string) => void
  /** Somebody is there to answer. */
  readonly isInteractive: boolean
  /** What is written may be coloured: a terminal shows it, and nobody said no. https://no-color.org */
  readonly isColoured: boolean
  /** All that is piped in. */
  readonly input: () => Promise<string>
  readonly ask: (question: string, suggestion: string) => Promise<string>
  /** Asks for something that is not shown while it is typed. */
  readonly askSecret: (question: string) => Promise<string>
  /** Asks for yes or no; no is suggested. */
  readonly confirm: (question: string) => Promise<boolean>
}

/** Why a command did not do what it was asked for, as it is told to who asked. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The terminal of this process. Questions go to the standard error, so that the standard output has only the answer. */
export const systemTerminal = (): Terminal => ({
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  isInteractive: process.stdin.isTTY,
  isColoured: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  input: () => readAll(process.stdin),
  ask: async (question, suggestion) => {
    const { text } = await prompts()
    return answered<string>(
      await text({ message: question, defaultValue: suggestion, placeholder: suggestion, output: process.stderr }),
    )
  },
  askSecret: async (question) => {
    const { password } = await prompts()
    return answered<string>(await password({ message: question, output: process.stderr }))
  },
  confirm: async (question) => {
    const { confirm } = await prompts()
    return answered<boolean>(await confirm({ message: question, initialValue: false, output: process.stderr }))
  },
})

/** Most commands ask nothing, and need not wait for this. */
const prompts = () => import('@clack/prompts')

function answered<T>(answer: T | symbol): T {
  if (typeof answer === 'symbol') throw new CommandFailure('Cancelled.', 130)
  return answer
}

/** Asks for a new password, twice. */
export async function askNewPassword(terminal: Terminal): Promise<string> {
  const password = await terminal.askSecret('Password')
  if (password === '') throw new CommandFailure('A password must not be empty.')
  if ((await terminal.askSecret('The same password again')) !== password)
    throw new CommandFailure('The two passwords are not the same.')
  return password
}
