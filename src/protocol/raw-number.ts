/**
 * A number of an event as it was written, where a double would not give the same text again (a fraction, an exponent, a large integer).
 * Such numbers stand in events of room versions 1 to 5 only. https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export class RawNumber {
  /** The number exactly as it stood in the JSON text. */
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}
