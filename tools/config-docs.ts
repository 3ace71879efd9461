import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configurationManual } from '#config/docs.ts'

/** Writes the manual of the configuration from its declarations. */
writeFileSync(fileURLToPath(new URL('../docs/configuration.md', import.meta.url)), configurationManual())
