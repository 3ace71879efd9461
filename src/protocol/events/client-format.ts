/** Where the values of an event's fields stand in its canonical JSON. */
export type Slices = ReadonlyMap<string, string>

/**
 * The values of an object's top-level fields, as they are printed in its canonical JSON, without parsing them. `json` must be a JSON object as
 * `canonicalJson` prints it.
 */
export const topLevelSlices = (json: string): Slices => {
  const slices = new Map<string, string>()
  let at = 1
  while (at < json.length - 1) {
    const keyEnd = endOfString(json, at)
    const valueStart = keyEnd + 1
    const valueEnd = endOfValue(json, valueStart)
    slices.set(json.slice(at + 1, keyEnd - 1), json.slice(valueStart, valueEnd))
    at = valueEnd + 1
  }
  return slices
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The index after the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end === -1 ? json.length : end + 1
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** The index after the value that begins at `start`. */
function endOfValue(json: string, start: number): number {
  const first = json.charCodeAt(start)
  if (first === QUOTE) return endOfString(json, start)
  if (nesting(first) !== 1) return endOfPlain(json, start)
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at) - 1
    else {
      const step = nesting(code)
      depth += step
      if (step === -1 && depth === 0) return at + 1
    }
  }
  return json.length
}

/** Whether a character opens (1) or closes (-1) an object or array. */
const nesting = (code: number): -1 | 0 | 1 => {
  if (code === 0x7b || code === 0x5b) return 1
  return code === 0x7d || code === 0x5d ? -1 : 0
}

/** The index after a number or a word. */
function endOfPlain(json: string, start: number): number {
  let end = start
  while (end < json.length && json.charCodeAt(end) !== 0x2c && nesting(json.charCodeAt(end)) === 0) end++
  return end
}

/**
 * An event as clients see it, in two printed pieces without braces: what comes before `room_id` and what comes after it, up to `unsigned`,
 * which each viewer gets their own of. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
export type ClientPieces = { readonly head: string; readonly tail: string }

/**
 * Cuts the client's form out of an event's canonical JSON. `redacts` is given at both places where room versions keep it,
 * also where the sender wrote something else at the one that its version does not look at.
 * https://spec.matrix.org/v1.19/rooms/v11/#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property
 */
export const clientPieces = (json: string, eventId: string, redacts: string | undefined): ClientPieces => {
  const slices = topLevelSlices(json)
  const content = withRedacts(slices.get('content') ?? '{}', redacts)
  const top = redacts === undefined ? '' : `,"redacts":${JSON.stringify(redacts)}`
  const stateKey = slices.get('state_key')
  return {
    head: `"content":${content},"event_id":${JSON.stringify(eventId)},"origin_server_ts":${slices.get('origin_server_ts') ?? '0'}${top}`,
    tail: `"sender":${slices.get('sender') ?? '""'}${stateKey === undefined ? '' : `,"state_key":${stateKey}`},"type":${slices.get('type') ?? '""'}`,
  }
}

function withRedacts(content: string, redacts: string | undefined): string {
  if (redacts === undefined) return content
  const members = [`"redacts":${JSON.stringify(redacts)}`]
  for (const [key, value] of topLevelSlices(content)) if (key !== 'redacts') members.push(`"${key}":${value}`)
  return `{${members.join(',')}}`
}
