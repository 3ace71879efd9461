import type { IncomingMessage } from 'node:http'
import { badJson, notJson, tooLarge, unknown } from '#protocol/errors.ts'
import { readJson } from '#protocol/read-json.ts'

/** The usual bound of a JSON body in bytes. Endpoints that take more say so. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024
/** The deepest nesting of arrays and objects that is read. */
const MAX_DEPTH = 200
/** A body that takes longer than this is given up. */
const BODY_TIMEOUT_MS = 60_000

/** Reads a body whole, up to `maxBytes`; throws a MatrixError where it is larger, too slow or broken off. */
export const readBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const declared = Number(request.headers['content-length'] ?? 0)
    if (declared > maxBytes) {
      reject(tooLarge(`the body has ${declared} bytes; at most ${maxBytes} are taken`))
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => fail(unknown('the body did not come in time', { status: 408 })), BODY_TIMEOUT_MS)
    const fail = (error: Error) => {
      clearTimeout(timer)
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
      clearTimeout(timer)
      resolve(Buffer.concat(chunks))
    })
    request.on('error', () => fail(unknown('the body broke off', { status: 400 })))
    request.on('aborted', () => fail(unknown('the body broke off', { status: 400 })))
  })

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
  if (isDeeper(text, MAX_DEPTH)) throw badJson(`the body is nested more than ${MAX_DEPTH} deep`)
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

/** Strings, which may hold brackets, and the brackets that count. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}]/gs

/** Whether brackets outside strings nest deeper than `max`, seen without parsing. */
function isDeeper(text: string, max: number): boolean {
  if (text.length <= max) return false
  let depth = 0
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '[' || token === '{') {
      if (++depth > max) return true
    } else if (token === ']' || token === '}') depth--
  }
  return false
}
