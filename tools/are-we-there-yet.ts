import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { statusReport } from '#test/conformance/status-report.ts'

/** Writes which operations of the specification are declared. */
writeFileSync(fileURLToPath(new URL('../docs/are-we-there-yet.md', import.meta.url)), statusReport())
