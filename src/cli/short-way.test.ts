import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { execPath } from 'node:process'
import { test } from 'node:test'

/** Runs a module in a process of its own, and gives what it prints. */
const printed = (code: string): unknown => {
  const { stdout, stderr } = spawnSync(execPath, ['--input-type=module', '-e', code], {
    cwd: new URL('../..', import.meta.url).pathname,
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

test('import names of ours mean the same files by the short way', () => {
  const urls = (before: string) =>
    printed(`${before}
      const { clock } = { clock: await import('#util/clock.ts') }
      const same = clock === (await import('./src/util/clock.ts'))
      console.log(JSON.stringify([same, import.meta.resolve('#util/clock.ts'), import.meta.resolve('zod')]))`)
  const [isSame, ...plain] = urls('') as unknown[]
  assert.equal(isSame, true)
  assert.deepEqual(urls(`await import('./src/cli/short-way.ts')`), [true, ...plain])
})

test('without the languages of zod, its own is still there', () => {
  const [error, hasLocales] = printed(`await import('./src/cli/short-way.ts')
    const z = await import('zod')
    console.log(JSON.stringify([z.string().safeParse(1).error.issues[0].message, 'en' in z.locales]))`) as [
    string,
    boolean,
  ]
  assert.equal(error, 'Invalid input: expected string, received number')
  assert.equal(hasLocales, false)
})
