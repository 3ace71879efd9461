import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, exit, stderr, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'

// node tools/spec-errcodes.ts <folder of the Matrix specification>
// Takes the names of all error codes out of the specification, with the APIs whose documents name them; no prose.

/** Which API a document belongs to, by a part of its path. */
const APIS = ['client-server', 'server-server', 'application-service', 'identity', 'push-gateway', 'rooms']

const folder = argv[2]
if (folder === undefined || !existsSync(join(folder, 'data/api'))) {
  stderr.write('usage: node tools/spec-errcodes.ts <folder of the Matrix specification, with data/api in it>\n')
  exit(1)
}
const codes = new Map<string, Set<string>>()
for (const path of globSync(['content/**/*.md', 'data/**/*.yaml'], { cwd: folder })) {
  const api = APIS.find((name) => path.includes(name)) ?? 'other'
  for (const [code] of readFileSync(join(folder, path), 'utf8').matchAll(/\bM_[A-Z][A-Z0-9_]*\b/g)) {
    codes.set(code, (codes.get(code) ?? new Set()).add(api))
  }
}
const table = Object.fromEntries([...codes].toSorted().map(([code, apis]) => [code, [...apis].toSorted()]))
const target = fileURLToPath(new URL('../test/conformance/spec-errcodes.json', import.meta.url))
writeFileSync(target, `${JSON.stringify(table, undefined, 1)}\n`)
stdout.write(`${codes.size} error codes\n`)
