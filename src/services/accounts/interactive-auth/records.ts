import { createCipheriv, createDecipheriv, hash } from 'node:crypto'
import type { InteractiveAuthRow } from '#storage/stores/interactive-auths.ts'
import type { JsonObject } from '#util/json.ts'
import type { Random } from '#util/random.ts'

/** What an interactive authentication is for. It is good for nothing else. */
export type Purpose = {
  /** The operation with all that matters of it. */
  readonly operation: string
  /** The number of the user who asked; `undefined` where nobody was logged in. */
  readonly subject: number | undefined
  /** What the first request asked for. */
  readonly params: JsonObject
}

/** A stage that is done, and what it showed. */
export type DoneStage = { readonly type: string; readonly fact: JsonObject }

/** How far an interactive authentication is. */
export type Progress = {
  readonly stages: readonly DoneStage[]
  /** The user that came of it: asked again, the operation has the same effect. */
  readonly user: number | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** The ID under which it is kept: who reads the database cannot go on with it. */
export const keptId = (id: string): string => hash('sha256', id, 'base64url')

const keyOf = (id: string): Uint8Array => hash('sha256', `interactive auth: ${id}`, 'buffer')

/** The purpose, as only who knows the ID can read it: it may hold the password of an account to be. */
export const sealPurpose = (id: string, { operation, subject, params }: Purpose, random: Random): string => {
  const iv = random.bytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(id), iv)
  const text = JSON.stringify({ operation, subject: subject ?? null, params })
  const sealed = [cipher.update(text, 'utf8'), cipher.final()]
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64')
}

/** The purpose that was sealed with the ID. */
export const openPurpose = (id: string, sealed: string): Purpose => {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(id), bytes.subarray(0, IV_BYTES))
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
  const { operation, subject, params } = JSON.parse(text.toString('utf8')) as Purpose & { subject: number | null }
  return { operation, subject: subject ?? undefined, params }
}

/** How far it is, as it is kept. */
export const printProgress = ({ stages, user }: Progress): string => JSON.stringify({ stages, user: user ?? null })

/** How far a kept one is. */
export const progressOf = ({ completed }: Pick<InteractiveAuthRow, 'completed'>): Progress => {
  const { stages, user } = JSON.parse(completed) as { stages: readonly DoneStage[]; user: number | null }
  return { stages, user: user ?? undefined }
}
