import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstAnswer, isAnswered } from './first-answer.ts'
import type { Figure } from './rows.ts'

const LAUNCHER = new URL('../../bin/myelin', import.meta.url).pathname
const PORT = 8008
const PATH = '/_matrix/client/versions'

/** Starts Myelin as a newcomer does, twice on the same data, and looks at the second: how soon it answers, and what it takes when idle. */
export const startTimes = async (): Promise<Figure[]> => {
  if (await isAnswered(PORT, PATH))
    throw new Error(`another program answers on port ${PORT}: its answers would be measured`)
  const folder = mkdtempSync(join(tmpdir(), 'myelin-start-'))
  try {
    await startOnce(folder)
    const second = await startOnce(folder)
    return [
      { name: 'second start to first answer', value: second.firstAnswerMs, unit: 'ms' },
      { name: 'memory when idle', value: second.memoryMb, unit: 'MB' },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startOnce(folder: string): Promise<{ readonly firstAnswerMs: number; readonly memoryMb: number }> {
  const { child, ms: firstAnswerMs } = await firstAnswer([LAUNCHER, 'start'], { port: PORT, path: PATH, cwd: folder })
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const memoryMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { firstAnswerMs, memoryMb }
}
