import type { AnsweredRequest } from '#http/server/answered.ts'
import type { LogFields } from '#util/logger.ts'
import { redactedUrl } from './redacted-url.ts'

/**
 * What the log says of a request, as Synapse does: address, listener and user; seconds until the answer was ready and until it was sent;
 * seconds of processor (not measured: 0); seconds of waiting for the database and how many reads; bytes and status, with `!` where the client
 * was gone before it had all; what was asked, by which program; how many events were read.
 * https://element-hq.github.io/synapse/latest/usage/administration/request_log.html
 */
export const accessLine = (request: AnsweredRequest, url: string): string => {
  const { ip, tag, user, seconds, sendSeconds, work, bytes, status, isCutOff, method, httpVersion, userAgent } = request
  const readSeconds = ((work?.readMs ?? 0) / 1000).toFixed(3)
  return (
    `${ip} - ${tag} - {${user ?? 'None'}} Processed request: ${seconds.toFixed(3)}sec/${sendSeconds.toFixed(3)}sec ` +
    `ru=(0.000sec, 0.000sec) db=(0.000sec/${readSeconds}sec/${work?.reads ?? 0}) ` +
    `${bytes}B ${isCutOff ? '!' : ''}${status} "${method} ${url} HTTP/${httpVersion}" "${userAgent ?? '-'}" ` +
    `[${work?.events ?? 0} dbevts]`
  )
}

/** The same for programs, under the names that Synapse has for it. */
export const accessFields = (request: AnsweredRequest): LogFields => ({
  ip_address: request.ip,
  site_tag: request.tag,
  requester: request.user ?? null,
  authenticated_entity: request.user ?? null,
  method: request.method,
  url: redactedUrl(request.url),
  protocol: `HTTP/${request.httpVersion}`,
  user_agent: request.userAgent ?? '',
  operation: request.endpointId,
  status: request.status,
  cut_off: request.isCutOff,
  bytes: request.bytes,
  seconds: request.seconds,
  send_seconds: request.sendSeconds,
})
