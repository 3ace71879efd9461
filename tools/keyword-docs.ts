import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { keywordManual } from '#util/libpq/manual.ts'

/** Writes the table of connection parameters from their declarations. */
writeFileSync(fileURLToPath(new URL('../docs/postgres-keywords.md', import.meta.url)), keywordManual())
