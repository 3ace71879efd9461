import type { FastifyReply } from 'fastify'
import { MatrixError, unknown } from '#protocol/errors.ts'
import { logContext } from '#util/log-context.ts'
import type { Logger } from '#util/logger.ts'
import { Download, JsonText } from './route.ts'

const JSON_TYPE = 'application/json'

/** Headers that let web clients of any site call us. https://spec.matrix.org/latest/client-server-api/#web-browser-clients */
export const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
  'access-control-expose-headers': 'Retry-After',
}

/** Sends what a handler returned. */
export const send = (reply: FastifyReply, answer: unknown): void => {
  reply.headers(CORS_HEADERS)
  if (answer instanceof JsonText) {
    reply.header('content-type', JSON_TYPE).send(answer.text)
  } else if (answer instanceof Download) {
    reply.code(answer.status).headers(answer.headers).send(answer.body)
  } else {
    reply.header('content-type', JSON_TYPE).send(JSON.stringify(answer))
  }
}

/** Sends an error: the one place where something thrown becomes JSON. What is no MatrixError is logged and says nothing outside. */
export const sendError = (reply: FastifyReply, thrown: unknown, log: Logger): void => {
  const error = thrown instanceof MatrixError ? thrown : unexpected(thrown, log)
  if (typeof error.fields['retry_after_ms'] === 'number') {
    reply.header('retry-after', String(Math.ceil(error.fields['retry_after_ms'] / 1000)))
  }
  reply.code(error.status).headers(CORS_HEADERS).header('content-type', JSON_TYPE).send(JSON.stringify(error))
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
