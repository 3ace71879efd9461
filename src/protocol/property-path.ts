import { isObject, type Json } from '#util/json.ts'

/** A path into an event, as the names of properties from the outermost to the innermost. */
export type PropertyPath = readonly string[]

/**
 * Reads a path whose names are separated by dots; `\.` is a dot and `\\` a backslash inside a name, and any other
 * backslash stands for itself. Every text is a path. https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths
 */
export function parsePropertyPath(text: string): PropertyPath {
  if (!text.includes('\\')) return text.split('.')
  const names: string[] = []
  let name = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    const next = text.charAt(at + 1)
    if (character === '.') {
      names.push(name)
      name = ''
    } else if (character === '\\' && (next === '.' || next === '\\')) {
      name += next
      at++
    } else {
      name += character
    }
  }
  return [...names, name]
}

/** The text of a path, with dots and backslashes inside its names escaped. https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths */
export const formatPropertyPath = (path: PropertyPath): string =>
  path.map((name) => name.replace(/[.\\]/g, '\\$&')).join('.')

/** The value at a path inside a value, or `undefined`; arrays have no properties. `from` skips names already followed. */
export function followPath(value: Json | undefined, path: PropertyPath, from = 0): Json | undefined {
  let found = value
  for (let at = from; at < path.length; at++) {
    const name = path[at]
    if (name === undefined || !isObject(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}
