/** Unpadded standard base64, as the specification writes binary data. https://spec.matrix.org/v1.19/appendices/#unpadded-base64 */
export const encodeBase64 = (bytes: Uint8Array): string => {
  const padded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  const end = padded.indexOf('=')
  return end === -1 ? padded : padded.slice(0, end)
}

/** Unpadded URL-safe base64. https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64 */
export const encodeUrlSafeBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')

/**
 * The bytes of base64 text in either alphabet, with or without padding, or `undefined` for text that is not base64.
 * Bits left over in the last character are ignored, as the published test vectors need it.
 */
export const decodeBase64 = (text: string): Buffer | undefined =>
  BASE64.test(text) && text.replace(/=+$/, '').length % 4 !== 1 ? Buffer.from(text, 'base64') : undefined

const BASE64 = /^(?:[A-Za-z0-9+/_-]{2,}={0,2})?$/
