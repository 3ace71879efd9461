import { keywordOf } from './keywords.ts'
import { isConnectionUri, readUri } from './uri.ts'

/** Connection parameters by keyword, or why a text is none. The sentence never repeats what may be a secret. */
export type Settings = ReadonlyMap<string, string>
/** What came of reading a connection string. */
export type Read =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly sentence: string }

/**
 * Reads a connection string: keywords with values (`host=localhost port=5432`), or a URI.
 * https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING
 */
export const readConninfo = (text: string): Read => (isConnectionUri(text) ? readUri(text) : readKeywordString(text))

const bad = (sentence: string): Read => ({ ok: false, sentence })
const isSpace = (char: string | undefined): boolean => char !== undefined && /[ \t\n\v\f\r]/.test(char)

function readKeywordString(text: string): Read {
  const settings = new Map<string, string>()
  let at = 0
  const skipSpace = () => {
    while (isSpace(text[at])) at++
  }
  for (;;) {
    skipSpace()
    if (at >= text.length) return { ok: true, settings }
    const start = at
    while (at < text.length && text[at] !== '=' && !isSpace(text[at])) at++
    const name = text.slice(start, at)
    skipSpace()
    // What stands here may be the rest of a password with a space in it, so it is not repeated.
    if (text[at] !== '=') return bad(`Expected "=" after the word that starts at character ${start + 1}.`)
    at++
    skipSpace()
    const value = readValue(text, at)
    if (value === undefined) return bad('A value that starts with a quote has no quote at its end.')
    if (keywordOf(name) === undefined)
      return bad(`There is no connection parameter like the one at character ${start + 1}.`)
    settings.set(name, value.value)
    at = value.end
  }
}

function readValue(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  const isQuoted = text[start] === "'"
  let value = ''
  let at = isQuoted ? start + 1 : start
  for (; at < text.length; at++) {
    const char = text[at] as string
    if (char === '\\') {
      at++
      value += text[at] ?? ''
    } else if (isQuoted && char === "'") return { value, end: at + 1 }
    else if (!isQuoted && isSpace(char)) return { value, end: at }
    else value += char
  }
  return isQuoted ? undefined : { value, end: Math.min(at, text.length) }
}
