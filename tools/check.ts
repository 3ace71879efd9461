import { spawn } from 'node:child_process'
import { execPath, exit, stdout } from 'node:process'

// npm run check: types, lint and walls, pure tests, fresh documents; all at once, each one's output when it is done.

const checks: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
  ['lock file complete', ['tools/complete-lock.ts', '--check']],
  ['lint and walls', ['node_modules/@biomejs/biome/bin/biome', 'check', '.']],
  [
    'pure tests and documents',
    [
      '--test',
      '--test-reporter=dot',
      '--test-isolation=none',
      'src/{util,protocol,api,config}/**/*.test.ts',
      'test/architecture/*.test.ts',
      'test/conformance/*.test.ts',
    ],
  ],
]

const results = checks.map(
  ([name, args]) =>
    new Promise<boolean>((resolve) => {
      const child = spawn(execPath, args)
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      child.stderr.on('data', (chunk) => {
        output += chunk
      })
      child.on('exit', (code) => {
        stdout.write(`${code === 0 ? 'ok' : 'FAILED'}: ${name}\n${code === 0 ? '' : output}`)
        resolve(code === 0)
      })
    }),
)
exit((await Promise.all(results)).every(Boolean) ? 0 : 1)
