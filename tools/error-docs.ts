import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorManual } from '#test/architecture/error-manual.ts'

/** Writes the manual of error codes from their declarations. */
writeFileSync(fileURLToPath(new URL('../docs/errors.md', import.meta.url)), errorManual())
