import type { IncomingMessage } from 'node:http'
import { badJson, notJson, tooLarge, unknown } from '#protocol/errors.ts'
import { readJson } from '#protocol/read-json.ts'
import type { Clock } from '#util/clock.ts'

/** The usual bound of a JSON body in bytes. Endpoints that take more say so. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024
/** The deepest nesting of arrays and objects that is read. */
const MAX_DEPTH = 200
/** A body that takes longer than this is given up. */
const BODY_TIMEOUT_MS = 60_000

/** Reads a body whole, up to `maxBytes`; throws a MatrixError where it is larger, too slow or broken off. */
export const readBody = (request: IncomingMessage, maxBytes: number, after: Clock['after']): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const declared = Number(request.headers['content-length'] ?? 0)
    if (declared > maxBytes) {
      reject(tooLarge(`the body has ${declared} bytes; at most ${maxBytes} are taken`))
      return
    }
    if (isAllHere(request)) {
      // By its length: without one, no more than the first piece would be read.
      const bytes = (request.read(request.readableLength) as Buffer | null) ?? Buffer.alloc(0)
      if (bytes.length > maxBytes) reject(tooLarge(`the body is larger than ${maxBytes} bytes`))
      else resolve(bytes)
      return
    }
    if (request.destroyed && !request.complete) {
      reject(brokenOff())
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    const cancel = after(BODY_TIMEOUT_MS, () => fail(unknown('the body did not come in time', { status: 408 })))
    const fail = (error: Error) => {
      cancel()
      chunks.length = 0
      request.removeAllListeners('data')
      request.resume()
      reject(error)
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) fail(tooLarge(`the body is larger than ${maxBytes} bytes`))
      else chunks.push(chunk)
    })
    request.on('end', () => {
      cancel()
      resolve(Buffer.concat(chunks))
    })
    request.on('error', () => fail(brokenOff()))
    request.on('close', () => {
      if (!request.complete) fail(brokenOff())
    })
  })

/** A small body comes with the head: nothing needs to be waited for. */
const isAllHere = (request: IncomingMessage): boolean =>
  request.complete && !request.destroyed && request.readableFlowing === null

const brokenOff = (): Error => unknown('the body broke off', { status: 400 })

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/**
 * Reads JSON from bytes, whatever the content type says. `lossless`: numbers that JavaScript cannot hold are kept as they were written.
 * No bytes are no body.
 */
export const parseBody = (bytes: Buffer, lossless: boolean): unknown => {
  if (bytes.length === 0) return undefined
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    throw notJson('the body is not UTF-8', { cause })
  }
  if (isDeeper(bytes, MAX_DEPTH)) throw badJson(`the body is nested more than ${MAX_DEPTH} deep`)
  if (lossless) {
    const read = readJson(text)
    if (!read.ok) throw notJson(`the body is not JSON: ${read.reason}`)
    return read.value
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notJson('the body is not JSON', { cause })
  }
}

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}')

/** Whether brackets outside strings nest deeper than `max`, seen without parsing, in one go over the bytes. */
function isDeeper(bytes: Buffer, max: number): boolean {
  if (bytes.length <= max) return false
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > max) return true
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--
  }
  return false
}

/** Where the string ends that begins at `start`: its closing quote, or the end of the bytes. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}
