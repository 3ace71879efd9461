import { isObject, type JsonObject } from '#util/json.ts'

/**
 * A number of an event as it was written, where a double would not give the same text again (a fraction, an exponent, a large integer).
 * Such numbers stand in events of room versions 1 to 5 only. `JSON.stringify` prints it as it was written.
 * https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export class RawNumber {
  /** The number exactly as it stood in the JSON text. */
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toJSON(): unknown {
    return rawJson(this.source)
  }
}

/** Whether `value` is a JSON object that came from an object in JSON text, rather than from a number read as `RawNumber`. */
export const isPlainObject = (value: unknown): value is JsonObject => isObject(value) && !(value instanceof RawNumber)

// The standard library's types do not know JSON.rawJSON yet.
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }
