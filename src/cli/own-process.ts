import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'

/** What a pid file says, held against the processes that there are. */
export type Standing =
  | { readonly kind: 'running'; readonly pid: number }
  | { readonly kind: 'none' }
  /** The pid file was left behind: its process is gone, or its number belongs to another program by now. */
  | { readonly kind: 'stale'; readonly reason: string }

/** How much later than its pid file a process may seem to have started: clocks of processes count in whole seconds. */
const TOLERANCE_MS = 2_000

/** Whether the server that wrote the pid file runs. A process that is not that server is never taken for it. */
export function standingOf(pidFile: string): Standing {
  const written = statSync(pidFile, { throwIfNoEntry: false })
  if (written === undefined) return { kind: 'none' }
  const text = readFileSync(pidFile, 'utf8').trim()
  const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0
  if (pid <= 1) return { kind: 'stale', reason: `${pidFile} has no process number in it` }
  if (!isAlive(pid)) return { kind: 'stale', reason: `process ${pid} of ${pidFile} is gone` }
  const command = commandOf(pid)
  if (!isMyelin(command))
    return {
      kind: 'stale',
      reason: `process ${pid} of ${pidFile} is another program by now: ${command.slice(0, 2).join(' ')}`,
    }
  const started = startOf(pid)
  // Whoever started after the file was written cannot have written it.
  if (started !== undefined && started > written.mtimeMs + TOLERANCE_MS)
    return {
      kind: 'stale',
      reason: `process ${pid} is a Myelin that ${pidFile} does not speak of: it was started later`,
    }
  return { kind: 'running', pid }
}

/** Whether there is such a process that does anything; one that ended and that nobody asked after is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // There is one, of somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return statOf(pid)?.state !== 'Z'
}

/** This is how the server is run, by whatever command. */
const isMyelin = (command: readonly string[]): boolean => {
  const at = command.findIndex((word) => word.endsWith('/src/cli/main.ts'))
  return at !== -1 && command[at + 1] === 'start'
}

/** The words of its command line; none where they are not shown. */
function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return askPs(pid, 'args').split(/\s+/)
  }
}

/** When a process started, in milliseconds; `undefined` where the system does not tell. */
function startOf(pid: number): number | undefined {
  const ticks = statOf(pid)?.startTicks
  const booted = /^btime (\d+)$/m.exec(readText('/proc/stat'))?.[1]
  if (ticks !== undefined && booted !== undefined) return Number(booted) * 1000 + (ticks * 1000) / TICKS_PER_SECOND
  const since = Date.parse(askPs(pid, 'lstart'))
  return Number.isNaN(since) ? undefined : since
}

/** Linux shows times of processes in this unit on every machine. */
const TICKS_PER_SECOND = 100

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name of the program may have spaces and brackets in it. */
function statOf(pid: number): { readonly state: string; readonly startTicks: number } | undefined {
  const text = readText(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  return text === '' || state === undefined ? undefined : { state, startTicks: Number(fields[19]) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Only Linux has it, and only while the process is there.
    return ''
  }
}

function askPs(pid: number, field: string): string {
  try {
    return execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim()
  } catch {
    return ''
  }
}
