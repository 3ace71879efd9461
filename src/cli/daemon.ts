import { CommandFailure, type Terminal } from './terminal.ts'

/** What the process in the background sends when it listens. */
const READY = 'ready'

/** What the process in the background is started with besides. */
export const IN_BACKGROUND = '--in-background'

/** Tells the process that waits, if one does, that the server listens. */
export function sayReady(): void {
  process.send?.(READY, () => process.disconnect?.())
}

/** Starts the same command in the background, passes on what it says, and comes back once it listens. */
export async function continueInBackground(terminal: Terminal): Promise<void> {
  // Most starts need no other process, and no module for them.
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1), IN_BACKGROUND], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let hasSpoken = false
  const pass = (write: (line: string) => void) => (chunk: Buffer) => {
    hasSpoken = true
    write(chunk.toString().trimEnd())
  }
  child.stdout?.on('data', pass(terminal.out))
  child.stderr?.on('data', pass(terminal.err))
  const exitCode = await new Promise<number | undefined>((resolve, reject) => {
    child.on('error', reject)
    child.on('message', (message) => {
      if (message === READY) resolve(undefined)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
  if (exitCode !== undefined)
    throw new CommandFailure(hasSpoken ? '' : 'The process in the background ended without a word.', exitCode)
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
}
