import { badJson, invalidParam, keyTooLarge, unknown } from '#protocol/errors.ts'
import { fitsIdentifier, isNamespacedIdentifier, parseMxcUri } from '#protocol/identifiers.ts'
import type { Json } from '#util/json.ts'

/** The fields that stand in membership events too. https://spec.matrix.org/v1.19/client-server-api/#mroommember */
export const MEMBER_FIELDS: ReadonlySet<string> = new Set(['displayname', 'avatar_url'])

/** The most bytes of a profile as JSON: it stays under 64 KiB. https://spec.matrix.org/v1.19/client-server-api/#profiles */
export const MAX_PROFILE_BYTES = 65_535

/** The most characters of the URI of a picture. */
export const MAX_AVATAR_URL = 1000
const MAX_DISPLAY_NAME = 256
const MAX_TIME_ZONE = 255

/** Throws where a profile cannot have a field of that name. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname */
export const judgeFieldName = (name: string): void => {
  if (!fitsIdentifier(name)) throw keyTooLarge('The name of a profile field has at most 255 bytes')
  if (!isNamespacedIdentifier(name)) {
    throw invalidParam(
      'The name of a profile field begins with a letter and has only a to z, 0 to 9 and the characters - _ .',
    )
  }
}

/** Throws where the field cannot have that value. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname */
export const judgeFieldValue = (name: string, value: Json): void => {
  if (name !== 'displayname' && name !== 'avatar_url' && name !== 'm.tz') return
  if (typeof value !== 'string') throw badJson(`'${name}' must be a string`)
  if (name === 'displayname') judgeDisplayName(value)
  if (name === 'm.tz' && value.length > MAX_TIME_ZONE) throw invalidParam("'m.tz' must be the name of a time zone")
  if (name === 'avatar_url' && value !== '' && (value.length > MAX_AVATAR_URL || parseMxcUri(value) === undefined)) {
    throw invalidParam("'avatar_url' must be a mxc:// URI")
  }
}

/** Throws where nobody can be called that: it must fit into events. */
export const judgeDisplayName = (name: string): void => {
  if (!name.isWellFormed()) throw badJson("'displayname' cannot be written in UTF-8: it has a lone surrogate")
  if (name.length > MAX_DISPLAY_NAME) {
    throw unknown(`A display name has at most ${MAX_DISPLAY_NAME} characters`, { status: 400 })
  }
}

/** Whether setting the field to the value means to take it away, as clients do with names and pictures. */
export const isRemoval = (name: string, value: Json): boolean => MEMBER_FIELDS.has(name) && value === ''

/** What a field takes of the profile's bytes: `"name":value` and a comma. */
export const fieldBytes = (name: string, json: string): number => Buffer.byteLength(name) + Buffer.byteLength(json) + 4
