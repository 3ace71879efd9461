import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '#cli/main.ts'
import type { Terminal } from '#cli/terminal.ts'

/** What a command wrote, and how it ended. */
export type Recorded = { readonly code: number; readonly out: string; readonly err: string }
/** Who sits at the terminal: nobody, with `input` piped in, or somebody who gives `answers` in turn. */
export type Person = { readonly input?: string; readonly answers?: readonly (string | boolean)[] }

/** Runs a command as if it were typed. */
export async function recorded(args: readonly string[], { input = '', answers }: Person = {}): Promise<Recorded> {
  const out: string[] = []
  const err: string[] = []
  const left = [...(answers ?? [])]
  const next = (question: string): string | boolean => {
    err.push(question)
    const answer = left.shift()
    if (answer === undefined) throw new Error(`Nobody answers: ${question}`)
    return answer
  }
  const terminal: Terminal = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    isInteractive: answers !== undefined,
    isColoured: false,
    input: async () => input,
    ask: async (question, suggestion) => String(next(question)) || suggestion,
    askSecret: async (question) => String(next(question)),
    confirm: async (question) => next(question) === true,
  }
  const code = await run(args, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Runs a test in a folder that is gone afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-cli-'))
  try {
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
