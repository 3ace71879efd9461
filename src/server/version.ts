import { readFileSync } from 'node:fs'
import { getString } from '#util/json.ts'

const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** The version of this Myelin. */
export const VERSION = getString(description, 'version') ?? 'unknown'
