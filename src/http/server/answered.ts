import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LogContext } from '#util/log-context.ts'
import { clientAddress, listenerTag } from './listen.ts'

declare module 'fastify' {
  interface FastifyRequest {
    endpointId: string
    userId: string | undefined
    /** Both of `performance.now()`; 0 for what did not happen yet. */
    startedAt: number
    readyAt: number
    /** Of an answer of JSON. */
    answerBytes: number | undefined
    work: LogContext | undefined
    /** Is cancelled if the client hangs up before it is answered. */
    waiting: { readonly cancel: () => void } | undefined
  }
}

/** A request that is over: answered, or given up by the client. */
export type AnsweredRequest = {
  /** `''` for paths that lead nowhere. */
  readonly endpointId: string
  readonly requestId: string
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  /** The name of the listener that it came in by. */
  readonly tag: string
  readonly ip: string
  readonly userAgent: string | undefined
  readonly user: string | undefined
  readonly status: number
  /** The client hung up before it had the whole answer. */
  readonly isCutOff: boolean
  readonly bytes: number
  /** Until the answer was ready. */
  readonly seconds: number
  /** From then until the last of it was handed to the system. */
  readonly sendSeconds: number
  /** What the work read, where there was an endpoint to do work. */
  readonly work: LogContext | undefined
}

/** Called once for each request that is over, for the log and the metrics. */
export type Answered = (request: AnsweredRequest) => void

/** What is told of a request that is over. */
export const overviewOf = (request: FastifyRequest, reply: FastifyReply): AnsweredRequest => {
  const now = performance.now()
  const readyAt = request.readyAt === 0 ? now : request.readyAt
  return {
    endpointId: request.endpointId,
    requestId: request.id,
    method: request.method,
    url: request.url,
    httpVersion: request.raw.httpVersion,
    tag: listenerTag(request.raw),
    ip: clientAddress(request.raw),
    userAgent: request.headers['user-agent'],
    user: request.userId,
    status: reply.raw.headersSent ? reply.raw.statusCode : 499,
    isCutOff: !reply.raw.writableFinished,
    bytes: request.answerBytes ?? Number(reply.getHeader('content-length') ?? 0),
    seconds: (readyAt - request.startedAt) / 1000,
    sendSeconds: (now - readyAt) / 1000,
    work: request.work,
  }
}
