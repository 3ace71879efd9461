import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Something that a reader of a page does: run or write what a block says, or do by hand what the page tells. */
export type Step =
  | { readonly kind: 'block'; readonly language: string; readonly text: string; readonly line: number }
  | { readonly kind: 'by hand'; readonly what: string; readonly line: number }

/** The part of a page under one heading, with the blocks that are not run and why. */
export type Section = {
  readonly title: string
  readonly steps: readonly Step[]
  readonly notRun: readonly { readonly reason: string; readonly line: number }[]
}

/** The sections of `docs/NAME.md`, in order, each with the steps up to the next heading. */
export const readPage = (name: string): readonly Section[] => {
  const path = fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url))
  return sectionsOf(readFileSync(path, 'utf8'))
}

const HEADING = /^#+ (.*)$/
const BY_HAND = /^<!-- by hand: (.+) -->$/
const NOT_RUN = /^<!-- not run: (.+) -->$/
const FENCE = /^```(\w*)$/

/** Reads a page. What is neither a heading, a mark nor a block is prose; a mark that stands alone is an error. */
export const sectionsOf = (page: string): readonly Section[] => {
  const lines = page.split('\n')
  const sections: { title: string; steps: Step[]; notRun: { reason: string; line: number }[] }[] = []
  let reason: string | undefined
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at] ?? ''
    const line = at + 1
    const [, title] = HEADING.exec(text) ?? []
    if (title !== undefined) sections.push({ title, steps: [], notRun: [] })
    const section = sections.at(-1)
    const [, what] = BY_HAND.exec(text) ?? []
    if (what !== undefined) section?.steps.push({ kind: 'by hand', what, line })
    const [, given] = NOT_RUN.exec(text) ?? []
    if (given !== undefined) reason = given
    else if (text.startsWith('<!--') && what === undefined) throw new Error(`line ${line}: an unknown mark: ${text}`)
    const [, language] = FENCE.exec(text) ?? []
    if (language === undefined) {
      if (given === undefined && reason !== undefined) throw new Error(`line ${line}: no block follows the mark`)
      continue
    }
    const end = lines.indexOf('```', at + 1)
    if (end === -1) throw new Error(`line ${line}: the block does not end`)
    if (reason === undefined)
      section?.steps.push({ kind: 'block', language, text: lines.slice(at + 1, end).join('\n'), line })
    else section?.notRun.push({ reason, line })
    reason = undefined
    at = end
  }
  return sections
}
