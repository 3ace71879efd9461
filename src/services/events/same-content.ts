import { canonicalJson } from '#protocol/canonical-json.ts'
import type { JsonObject } from '#util/json.ts'

/** Whether two contents say the same, whatever the order of their keys. */
export const isSameContent = (a: JsonObject, b: JsonObject): boolean => canonicalJson(a) === canonicalJson(b)
