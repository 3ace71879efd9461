import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { MatrixError, unknown } from '#protocol/errors.ts'
import { logContext } from '#util/log-context.ts'
import type { Logger } from '#util/logger.ts'
import { Download, JsonText } from './route.ts'

/** Headers that let web clients of any site call us. https://spec.matrix.org/latest/client-server-api/#web-browser-clients */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
  'access-control-expose-headers': 'Retry-After',
}

/** Sends what a handler returned. */
export const send = (reply: FastifyReply, answer: unknown): void => {
  if (answer instanceof JsonText) sendJson(reply, 200, answer.text)
  else if (answer instanceof Download) {
    reply.headers(CORS_HEADERS).code(answer.status).headers(answer.headers).send(answer.body)
  } else sendJson(reply, 200, JSON.stringify(answer))
}

const JSON_HEADERS: readonly string[] = [...Object.entries(CORS_HEADERS).flat(), 'content-type', 'application/json']

/** Sends JSON, past what Fastify does for answers of all kinds: it would put the headers together one by one. */
export const sendJson = (reply: FastifyReply, status: number, text: string, more: readonly string[] = []): void => {
  const { request, raw } = reply
  reply.hijack()
  request.answerBytes = writeJson(raw, status, text, more)
}

/** Writes an answer of JSON, and gives its bytes. */
export const writeJson = (
  response: ServerResponse,
  status: number,
  text: string,
  more: readonly string[] = [],
): number => {
  const bytes = Buffer.byteLength(text)
  response.writeHead(status, [...JSON_HEADERS, 'content-length', String(bytes), ...more])
  response.end(text)
  return bytes
}

/** Sends an error: the one place where something thrown becomes JSON. What is no MatrixError is logged and says nothing outside. */
export const sendError = (reply: FastifyReply, thrown: unknown, log: Logger): void => {
  const error = thrown instanceof MatrixError ? thrown : unexpected(thrown, log)
  const { retry_after_ms: retryMs } = error.fields
  const more = typeof retryMs === 'number' ? ['retry-after', String(Math.ceil(retryMs / 1000))] : []
  sendJson(reply, error.status, JSON.stringify(error), more)
}

function unexpected(thrown: unknown, log: Logger): MatrixError {
  if (thrown instanceof Error && thrown.name === 'DatabaseUnavailable') {
    log.warn('database_unavailable', { error: thrown.message })
    return unknown('The database does not answer. Try again in a moment.', { status: 503 })
  }
  log.error('request_failed', { error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) })
  return unknown(`Something went wrong here; the log has it as ${logContext()?.id ?? 'unknown'}`, {
    status: 500,
  })
}
