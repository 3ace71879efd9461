const ESCAPE = '\uFFFE'

/**
 * Text as both databases can hold it. PostgreSQL refuses NUL, and lone surrogates have no UTF-8, yet clients may set both in names and
 * keys; so those, and the escape character itself, become U+FFFE and four hexadecimal digits. `decodeText` undoes it exactly.
 */
export const encodeText = (text: string): string => {
  if (text.isWellFormed() && !text.includes('\0') && !text.includes(ESCAPE)) return text
  let encoded = ''
  for (const character of text) {
    const code = character.charCodeAt(0)
    const isEscaped = code === 0 || code === 0xfffe || (character.length === 1 && code >= 0xd800 && code <= 0xdfff)
    encoded += isEscaped ? ESCAPE + code.toString(16).padStart(4, '0') : character
  }
  return encoded
}

/** The text that `encodeText` was given. */
export const decodeText = (stored: string): string =>
  stored.includes(ESCAPE)
    ? stored.replaceAll(/\uFFFE([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : stored
