import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'
import { filesOf, quotedIn, ROOT, textOf } from './repository.ts'

const pages = filesOf('*.md', 'docs/**/*.md', 'src/*/README.md', 'changelog.d/README.md')

/** Paths of the repository that a page names in backticks. What stands for many names (`<name>`, `NAME`) is none. */
const namedPaths = (text: string): readonly string[] =>
  quotedIn(text.replaceAll(/^```[\s\S]*?^```/gm, ''))
    .filter((one) => /^(?:src|test|tools|docs|bin|changelog\.d|\.ci)\/[\w./*-]*$/.test(one))
    .filter((one) => !/NAME|NNNN/.test(one))

const linksIn = (text: string): readonly string[] =>
  [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))

describe('what the pages name', () => {
  for (const page of pages) {
    test(`is there: ${page}`, () => {
      for (const path of namedPaths(textOf(page))) {
        assert.ok(path.includes('*') ? filesOf(path).length > 0 : existsSync(join(ROOT, path)), `there is no ${path}`)
      }
      for (const target of linksIn(textOf(page))) {
        assert.ok(existsSync(join(ROOT, normalize(join(dirname(page), target)))), `the link ${target} leads nowhere`)
      }
    })
  }
})

test('every floor says in a README of about ten lines what it is and where to begin', () => {
  for (const entry of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const path = `src/${entry.name}/README.md`
    assert.ok(existsSync(join(ROOT, path)), `there is no ${path}`)
    const text = textOf(path)
    for (const part of ['May import', 'Begin with', 'Known traps'])
      assert.ok(text.includes(part), `${path} lacks "${part}"`)
    assert.ok(text.split('\n').length <= 25, `${path} is longer than a look`)
  }
})

test('every decision is one page, has its parts, and stands in the index', () => {
  const index = textOf('docs/decisions/README.md')
  const decisions = filesOf('docs/decisions/[0-9]*.md')
  const numbers = decisions.map((path) => path.slice('docs/decisions/'.length, 'docs/decisions/'.length + 4))
  assert.equal(new Set(numbers).size, numbers.length, 'each has a number of its own')
  for (const path of decisions) {
    const text = textOf(path)
    const [title = ''] = text.split('\n')
    assert.match(title, /^# \d+\. ./, path)
    for (const part of ['## Context', '## Decision', '## Consequences']) {
      assert.ok(text.includes(`\n${part}\n`), `${path} has no "${part}"`)
    }
    assert.ok(text.length < 7_000, `${path} is longer than a page`)
    const [, number, sentence] = /^# (\d+)\. (.*)/.exec(title) ?? []
    const line = `| ${number} | [${sentence}](${path.slice('docs/decisions/'.length)}) |`
    assert.ok(index.includes(`\n${line}\n`), `docs/decisions/README.md lacks the line: ${line}`)
  }
})
