import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf, quotedIn, tableOf, textOf } from './repository.ts'

const PAGE = 'docs/decisions/0018-dependencies.md'
const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>

test('every package that is needed to run stands in the decision on dependencies, with a reason', () => {
  const rows = tableOf(PAGE, 'package', 'what for', 'why this one', 'who knows it')
  const listed = rows.map(([name = '']) => quotedIn(name)[0])
  assert.deepEqual(listed.toSorted(), Object.keys(dependencies ?? {}).toSorted())
  for (const [name, ...reasons] of rows) for (const reason of reasons) assert.notEqual(reason, '', `${name}`)
})

test('nothing that runs imports a package that is only for development', () => {
  const forTests = Object.keys(devDependencies ?? {})
  for (const path of filesOf('src/**/*.ts').filter((one) => !/(\.(test|testing)\.ts$|\/testing\/)/.test(one))) {
    for (const [, from = ''] of textOf(path).matchAll(/^import (?:.*? from )?'([^'.#][^']*)'/gm)) {
      const name = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] ?? '')
      assert.ok(!forTests.includes(name), `${path} imports ${name}`)
    }
  }
})
