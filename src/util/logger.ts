/** Fields of a log line. Never a token, a password or a key. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes events with fields: `log.info('pdu_rejected', { eventId, rule })`. */
export type Logger = {
  readonly debug: (event: string, fields?: LogFields) => void
  readonly info: (event: string, fields?: LogFields) => void
  readonly warn: (event: string, fields?: LogFields) => void
  readonly error: (event: string, fields?: LogFields) => void
}

/** Writes nothing. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
