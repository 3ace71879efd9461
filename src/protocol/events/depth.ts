import { RawNumber } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { Json } from '#util/json.ts'

/**
 * The greatest depth that an event may have: 2^53 - 1 from version 6, before that 2^63 - 1, of which a double can hold
 * only its neighbour 2^63. https://spec.matrix.org/v1.19/rooms/v6/#event-format
 */
export const maxDepth = (rules: RoomVersionRules): number =>
  rules.strictCanonicalJson ? Number.MAX_SAFE_INTEGER : 2 ** 63

/** The depth of an event that comes after events of these depths: one more than the greatest, up to the limit, where it stays. https://spec.matrix.org/v1.19/rooms/v6/#event-format */
export const depthAfter = (depths: readonly number[], rules: RoomVersionRules): number =>
  Math.min(Math.max(0, ...depths) + 1, maxDepth(rules))

/** A depth as it is written: at most 2^63 - 1, digit by digit. https://spec.matrix.org/v1.19/rooms/v1/#event-format */
export function writeDepth(depth: number): Json {
  if (Number.isSafeInteger(depth) || !Number.isInteger(depth)) return depth
  const written = depth >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(depth)
  // The type of JSON does not know numbers that doubles cannot hold.
  return new RawNumber(String(written)) as unknown as Json
}
