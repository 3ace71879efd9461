import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { describe, test } from 'node:test'
import { quotedIn, ROOT, tableOf } from './repository.ts'

// A wall that is never tested is a painting of a wall: here every wall of biome.json is run into, in a folder of the test's own, and every
// door of it is gone through. Which doors there are, docs/architecture.md says.

type Planted = { readonly path: string; readonly text: string; readonly rule: string | undefined }
type Found = { readonly path: string; readonly rule: string }

const PAGE = 'docs/architecture.md'
/** The folders of a floor between which walls run too. */
const PARTS: Readonly<Record<string, readonly string[]>> = { http: ['http/server', 'http/client'] }
const nameOf = (quoted: string): string => quotedIn(quoted)[0] ?? ''
const doors = new Map(
  tableOf(PAGE, 'floor', 'what it is', 'may import').map(([floor = '', , may = '']) => [nameOf(floor), quotedIn(may)]),
)
const floors = [...doors.keys()]
const places = floors.flatMap((floor) => PARTS[floor] ?? [floor])

const IMPORTS = 'lint/style/noRestrictedImports'
const GLOBALS = 'lint/style/noRestrictedGlobals'

/** A file that imports something and gives it on. */
const importing = (path: string, from: string, rule: string | undefined): Planted => ({
  path,
  text: `import { thing } from '${from}'\n\n/** Planted. */\nexport const planted = [thing]\n`,
  rule,
})
const saying = (path: string, text: string, rule: string | undefined): Planted => ({ path, text, rule })

const mayImport = (floor: string, place: string): boolean =>
  [floor, ...(doors.get(floor) ?? [])].some((door) => place === door || place.startsWith(`${door}/`))

/** Every floor looks at every other one, by a value and by a type, and at what no floor may look at. */
function floorCases(): Planted[] {
  const slug = (place: string) => place.replaceAll('/', '-')
  return floors.flatMap((floor) => [
    ...places.flatMap((place) => {
      const rule = mayImport(floor, place) ? undefined : IMPORTS
      const typed = `import type { Thing } from '#${place}/thing.ts'\n\n/** Planted. */\nexport type Planted = readonly Thing[]\n`
      return [
        importing(`src/${floor}/from-${slug(place)}.ts`, `#${place}/thing.ts`, rule),
        saying(`src/${floor}/type-from-${slug(place)}.ts`, typed, rule),
        importing(`src/${floor}/from-${slug(place)}.test.ts`, `#${place}/thing.ts`, rule),
      ]
    }),
    importing(`src/${floor}/sibling.ts`, './thing.ts', undefined),
    importing(`src/${floor}/climb.ts`, '../util/thing.ts', IMPORTS),
    importing(`src/${floor}/inner/climb.ts`, '../thing.ts', IMPORTS),
    importing(`src/${floor}/descent.ts`, './inner/thing.ts', IMPORTS),
    importing(`src/${floor}/from-test.ts`, '#test/helpers/thing.ts', IMPORTS),
  ])
}

/** Every floor looks at every package that stands behind a wall. */
function packageCases(): Planted[] {
  return tableOf(PAGE, 'package', 'only in').flatMap(([name = '', only = '']) => {
    const listed = quotedIn(only)
    const open = only.startsWith('every floor but') ? floors.filter((floor) => !listed.includes(floor)) : listed
    const from = nameOf(name)
    return floors.map((floor) =>
      importing(`src/${floor}/package-${from.replace(':', '-')}.ts`, from, open.includes(floor) ? undefined : IMPORTS),
    )
  })
}

const DENIED_IN_PROTOCOL = {
  Date: 'Date.now()',
  fetch: "fetch('/')",
  setTimeout: 'setTimeout(() => {}, 1)',
  setInterval: 'setInterval(() => {}, 1)',
  setImmediate: 'setImmediate(() => {})',
}
const MAY_NAME_PROCESS = ['config', 'server', 'cli']

function globalCases(): Planted[] {
  const using = (floor: string, name: string, text: string, rule: string | undefined) =>
    saying(`src/${floor}/uses-${name.toLowerCase()}.ts`, `/** Planted. */\nexport const planted = [${text}]\n`, rule)
  return [
    ...floors.map((floor) =>
      using(floor, 'process', 'process.pid', MAY_NAME_PROCESS.includes(floor) ? undefined : GLOBALS),
    ),
    ...floors.map((floor) =>
      importing(`src/${floor}/node-process.ts`, 'node:process', MAY_NAME_PROCESS.includes(floor) ? undefined : IMPORTS),
    ),
    ...Object.entries(DENIED_IN_PROTOCOL).map(([name, text]) => using('protocol', name, text, GLOBALS)),
  ]
}

const lines = (count: number, line: string): string => `${line}\n`.repeat(count)

/** What is not written anywhere in the source. */
const habits: readonly Planted[] = [
  saying('src/util/barrel.ts', "export { thing } from './thing.ts'\n", 'lint/performance/noBarrelFile'),
  saying('src/util/all.ts', "export * from './thing.ts'\n", 'lint/performance/noReExportAll'),
  saying(
    'src/util/enumeration.ts',
    'enum Colour {\n  Red,\n}\n\n/** Planted. */\nexport const planted = Colour.Red\n',
    'lint/style/noEnum',
  ),
  saying('src/util/default.ts', 'export default 3\n', 'lint/style/noDefaultExport'),
  saying(
    'src/util/any.ts',
    '/** Planted. */\nexport const planted = (thing: any) => thing\n',
    'lint/suspicious/noExplicitAny',
  ),
  saying(
    'src/util/assertion.ts',
    '/** Planted. */\nexport const planted = (thing: string | undefined) => thing!\n',
    'lint/style/noNonNullAssertion',
  ),
  saying(
    'src/util/extension.ts',
    "import { thing } from './thing'\n\n/** Planted. */\nexport const planted = [thing]\n",
    'lint/correctness/useImportExtensions',
  ),
  saying(
    'src/util/type-import.ts',
    "import { Thing } from './thing.ts'\n\n/** Planted. */\nexport type Planted = readonly Thing[]\n",
    'lint/style/useImportType',
  ),
  saying(
    'src/util/bare-node.ts',
    "import { readFileSync } from 'fs'\n\n/** Planted. */\nexport const planted = readFileSync\n",
    'lint/style/useNodejsImportProtocol',
  ),
  saying(
    'src/util/floating.ts',
    '/** Planted. */\nexport const planted = async () => {\n  const work = async () => 3\n  work()\n}\n',
    'lint/nursery/noFloatingPromises',
  ),
  saying(
    'src/util/long.ts',
    `/** Planted. */\nexport const planted = (list: number[]) => {\n${lines(61, '  list.push(1)')}}\n`,
    'lint/complexity/noExcessiveLinesPerFunction',
  ),
  saying(
    'src/util/complex.ts',
    `/** Planted. */\nexport const planted = (list: number[]) => {\n${lines(16, '  if (list.length > 3) list.push(1)')}}\n`,
    'lint/complexity/noExcessiveCognitiveComplexity',
  ),
  saying(
    'src/util/circle-a.ts',
    "import { b } from './circle-b.ts'\n\n/** Planted. */\nexport const a = () => b\n",
    'lint/suspicious/noImportCycles',
  ),
  saying(
    'src/util/circle-b.ts',
    "import { a } from './circle-a.ts'\n\n/** Planted. */\nexport const b = () => a\n",
    'lint/suspicious/noImportCycles',
  ),
  saying(
    'src/rooms/circle-c.ts',
    "import { d } from '#rooms/circle-d.ts'\n\n/** Planted. */\nexport const c = () => d\n",
    'lint/suspicious/noImportCycles',
  ),
  saying(
    'src/rooms/circle-d.ts',
    "import { c } from '#rooms/circle-c.ts'\n\n/** Planted. */\nexport const d = () => c\n",
    'lint/suspicious/noImportCycles',
  ),
  importing('test/climb.ts', '../src/util/thing.ts', IMPORTS),
  importing('test/descent.ts', './helpers/thing.ts', IMPORTS),
  importing('test/any-floor.ts', '#storage/thing.ts', undefined),
  importing('tools/climb.ts', '../src/util/thing.ts', IMPORTS),
]

/** What every floor has to be imported. */
const THING = '/** Planted. */\nexport type Thing = number\n/** Planted. */\nexport const thing: Thing = 1\n'
const things: readonly Planted[] = [
  ...places.map((place) => saying(`src/${place}/thing.ts`, THING, undefined)),
  saying('src/http/thing.ts', THING, undefined),
  saying('test/helpers/thing.ts', THING, undefined),
  ...floors.map((floor) => saying(`src/${floor}/inner/thing.ts`, THING, undefined)),
]

/** What Biome, with the settings of this repository, says of the files. */
function biomeOn(planted: readonly Planted[]): readonly Found[] {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-walls-'))
  try {
    for (const name of ['biome.json', 'package.json', '.gitignore']) copyFileSync(join(ROOT, name), join(folder, name))
    for (const { path, text } of planted) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
    const { stdout, stderr } = spawnSync(execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    })
    const report = stdout.split('\n').find((line) => line.startsWith('{'))
    if (report === undefined) throw new Error(`Biome reported nothing: ${stderr}`)
    const { diagnostics } = JSON.parse(report) as {
      diagnostics: { category: string; severity: string; location: { path: string } }[]
    }
    return diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ category, location }) => ({ path: location.path, rule: category }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the walls', () => {
  test('every folder of src is a floor in docs/architecture.md', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const unknown = folders.map(({ name }) => name).filter((name) => !doors.has(name))
    assert.deepEqual(unknown, [], 'these folders have no row in the table of floors, and so no wall that is tested')
  })

  test('a floor may import only what stands above it in the table, so that there is no circle of floors', () => {
    for (const [at, floor] of floors.entries()) {
      for (const door of doors.get(floor) ?? []) {
        assert.ok(
          floors.slice(0, at).includes(door.split('/')[0] ?? ''),
          `${floor} may import ${door}, which stands below it`,
        )
      }
    }
  })

  test('all stand where they should, and have no holes and no doors that do not open', () => {
    const planted = [...things, ...floorCases(), ...packageCases(), ...globalCases(), ...habits]
    const found = biomeOn(planted)
    const expected = planted.flatMap(({ path, rule }) => (rule === undefined ? [] : [`${path}: ${rule}`]))
    const reported = found.map(({ path, rule }) => `${path}: ${rule}`)
    const imports = reported.filter((line) => line.endsWith(IMPORTS) || line.endsWith(GLOBALS))
    assert.deepEqual(
      expected.filter((line) => !reported.includes(line)),
      [],
      'Biome stays silent about these',
    )
    assert.deepEqual(
      imports.filter((line) => !expected.includes(line)),
      [],
      'Biome reports these, which are allowed',
    )
  })
})
