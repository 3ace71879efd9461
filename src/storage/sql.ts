import type { Bound } from './row.ts'
import { encodeText } from './text.ts'

/** A fragment with a text for each database. Values are in the arrays; its text must not depend on them. */
export type Fragment = {
  readonly sqlite: readonly string[]
  readonly postgres: readonly string[]
  readonly sqliteValues: readonly Bound[]
  readonly postgresValues: readonly unknown[]
}

/** A query: text by template, values bound. Nothing but constants can stand in it as text, so nothing can be injected. */
export type Query = {
  readonly strings: TemplateStringsArray
  readonly parts: readonly Part[]
}
type Part = Bound | undefined | boolean | Fragment | { readonly select: string }

/** A query from a template: `sql\`SELECT ${RECEIPT} FROM receipts WHERE room = ${room}\``. Row codecs stand as their select list. */
export const sql = (strings: TemplateStringsArray, ...parts: readonly Part[]): Query => ({ strings, parts })

/** `column ${oneOf(numbers)}`: whether the column is one of these integers. An empty list matches nothing. */
export const oneOf = (numbers: Iterable<number>): Fragment => {
  const list = [...numbers]
  return {
    sqlite: ['IN (SELECT value FROM json_each(', '))'],
    postgres: ['= ANY(', '::bigint[])'],
    sqliteValues: [JSON.stringify(list)],
    postgresValues: [list],
  }
}

/** `column ${oneOfText(names)}`: whether the column is one of these texts. */
export const oneOfText = (texts: Iterable<string>): Fragment => {
  const list = [...texts].map(encodeText)
  return {
    sqlite: ['IN (SELECT value FROM json_each(', '))'],
    postgres: ['= ANY(', '::text[])'],
    sqliteValues: [JSON.stringify(list)],
    postgresValues: [list],
  }
}

/** A text value as it is stored (see `text.ts`): every string that comes from outside is bound through this. */
export const textValue = (value: string): string => encodeText(value)

const isFragment = (part: Part): part is Fragment => typeof part === 'object' && part !== null && 'sqlite' in part
const isSelect = (part: Part): part is { readonly select: string } =>
  typeof part === 'object' && part !== null && 'select' in part

/** The texts of templates, joined once per call site. One a connection family: keyed by the template's own strings. */
export class QueryTexts {
  readonly #dialect: 'sqlite' | 'postgres'
  readonly #texts = new WeakMap<TemplateStringsArray, string>()

  constructor(dialect: 'sqlite' | 'postgres') {
    this.#dialect = dialect
  }

  textOf(query: Query): string {
    const known = this.#texts.get(query.strings)
    if (known !== undefined) return known
    let count = 0
    const placeholder = () => (this.#dialect === 'sqlite' ? '?' : `$${++count}`)
    let text = query.strings[0] ?? ''
    query.parts.forEach((part, index) => {
      if (isFragment(part)) {
        const [first = '', ...rest] = this.#dialect === 'sqlite' ? part.sqlite : part.postgres
        text += first + rest.map((piece) => placeholder() + piece).join('')
      } else {
        text += isSelect(part) ? part.select : placeholder()
      }
      text += query.strings[index + 1] ?? ''
    })
    this.#texts.set(query.strings, text)
    return text
  }

  valuesOf(query: Query): unknown[] {
    const values: unknown[] = []
    for (const part of query.parts) {
      if (isFragment(part)) values.push(...(this.#dialect === 'sqlite' ? part.sqliteValues : part.postgresValues))
      else if (!isSelect(part)) values.push(this.#bind(part))
    }
    return values
  }

  #bind(part: Bound | undefined | boolean): unknown {
    if (part === undefined) return null
    if (typeof part === 'boolean') return this.#dialect === 'sqlite' ? Number(part) : part
    return part
  }
}
