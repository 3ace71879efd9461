import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'

const POLL_MS = 2

/**
 * Starts a program that says a line once it listens, and gives the milliseconds until it answers `GET path` on this port with 200. It has the
 * machine for itself until it speaks: asking again and again from the start would take a good part of the other core.
 */
export const firstAnswer = async (
  [command = '', ...args]: readonly string[],
  { port, path, cwd }: { readonly port: number; readonly path: string; readonly cwd: string },
): Promise<{ readonly child: ChildProcess; readonly ms: number }> => {
  const at = performance.now()
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  child.stdout.resume()
  while (!(await isAnswered(port, path))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return { child, ms: performance.now() - at }
}

/** Whether something on this port answers now. */
export const isAnswered = (port: number, path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`))
    socket.on('data', (data) => {
      resolve(data.toString('latin1').startsWith('HTTP/1.1 200'))
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })
