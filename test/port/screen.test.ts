import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sqlitePlace } from '#storage/testing/each-database.ts'
import { generateServer } from '#test/helpers/generated-server.ts'
import { postgresPlace } from '#test/helpers/homeserver.ts'
import { onSqlite } from '#test/helpers/port.ts'
import { noPseudoTerminal, PseudoTerminal } from '#test/helpers/pseudo-terminal.ts'

const BIN = fileURLToPath(new URL('../../bin/synapse_port_db', import.meta.url))
const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: noPseudoTerminal || (URI === undefined ? 'no PostgreSQL: run it by npm test' : false) }
const ESC = String.fromCharCode(27)
const [ENTER, LEAVE] = [`${ESC}[?1049h${ESC}[?25l`, `${ESC}[?25h${ESC}[?1049l`]
const COLOUR = new RegExp(`${ESC}\\[\\d+m`)
const SEQUENCE = new RegExp(`${ESC}\\[[?\\d;]*[A-Za-z]`, 'g')

type Size = { readonly columns: number; readonly rows: number }

/** A generated server, an empty database to port it into, and the port on a terminal. */
class Stage implements AsyncDisposable {
  readonly file = sqlitePlace()
  readonly base: Awaited<ReturnType<typeof postgresPlace>>

  private constructor(base: Stage['base']) {
    this.base = base
  }

  static async set(events: number): Promise<Stage> {
    const stage = new Stage(await postgresPlace(URI ?? ''))
    const { folder, database } = stage.base
    await using opened = await stage.file.open()
    await generateServer(opened.db, { events })
    writeFileSync(
      join(folder, 'postgres.yaml'),
      `server_name: example.org\nmedia_store_path: ${folder}/media\nsigning_key_path: ${folder}/signing.key\n${database}\n`,
    )
    return stage
  }

  port(size: Size, more: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {}) {
    const { folder } = this.base
    const paths = ['--sqlite-database', this.file.path ?? '', '--postgres-config', join(folder, 'postgres.yaml')]
    const command = [BIN, ...paths, '--curses', ...(more.args ?? [])]
    return new PseudoTerminal(command, { folder, ...size, ...(more.env === undefined ? {} : { env: more.env }) })
  }

  get log(): string {
    return readFileSync(join(this.base.folder, 'port-synapse.log'), 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.base[Symbol.asyncDispose]()
    await this.file[Symbol.asyncDispose]()
  }
}

/** What each frame has on its lines. */
const framesOf = (written: string): string[][] => {
  const [screen = ''] = written.slice(written.indexOf(ENTER) + ENTER.length).split(LEAVE)
  const frames = screen.split(`${ESC}[H`).slice(1)
  return frames.map((frame) => frame.replaceAll(SEQUENCE, '').split('\r\n'))
}
const fits = (frame: readonly string[], { columns, rows }: Size): boolean =>
  frame.length <= rows && frame.every((line) => line.length <= columns)

/** The terminal is as it was: the other screen was left, and nothing was drawn after that. */
const assertRestored = (written: string) => {
  assert.equal(written.split(ENTER).length, 2)
  const [, after, ...more] = written.split(LEAVE)
  assert.ok(after !== undefined && more.length === 0, 'the screen is left once')
  assert.doesNotMatch(after, new RegExp(`${ESC}\\[`))
  return after
}

test(
  'a whole run on a small terminal that is resized; the table comes after it, and into the log',
  options,
  async () => {
    await using stage = await Stage.set(2_000)
    const [small, large] = [
      { columns: 40, rows: 6 },
      { columns: 100, rows: 12 },
    ]
    await using terminal = stage.port(small, { args: ['--batch-size', '1'] })
    await terminal.shows(/Copying/)
    const before = terminal.written.length
    terminal.resize(large.columns, large.rows)
    await terminal.shows(/rows\/s[\s\S]*and \d+ more/, before)
    const between = terminal.written.length
    terminal.resize(2, 1)
    await terminal.shows(new RegExp(`${ESC}\\[H.{0,2}${ESC}\\[K${ESC}\\[J`), between)
    terminal.resize(small.columns, small.rows)
    assert.equal(await terminal.exitCode, 0, terminal.written.slice(-500))
    const frames = framesOf(terminal.written)
    assert.ok(frames.length > 5)
    assert.ok(frames.every((frame) => fits(frame, large)))
    assert.ok(framesOf(terminal.written.slice(0, before)).every((frame) => fits(frame, small)))
    assert.ok(
      frames.some((frame) => !fits(frame, small)),
      'more is shown where there is more room',
    )
    assert.match(terminal.written, COLOUR)
    const after = assertRestored(terminal.written)
    for (const text of [after, stage.log]) {
      assert.match(text, /events +2000 +2000 +2000 +0 +0 +[0-9a-f]{32} +equal/)
      assert.match(text, /Done: every row is there/)
    }
  },
)

for (const [name, end, code] of [
  ['Ctrl+C', (terminal: PseudoTerminal) => terminal.type('\x03'), 130],
  ['SIGTERM', (terminal: PseudoTerminal) => terminal.signal(15), 143],
  ['SIGHUP', (terminal: PseudoTerminal) => terminal.signal(1), 129],
] as const) {
  test(`${name} restores the terminal and ends the port; the next run finishes it`, options, async () => {
    await using stage = await Stage.set(2_000)
    {
      await using terminal = stage.port({ columns: 80, rows: 24 }, { args: ['--batch-size', '1'] })
      await terminal.shows(/Copying/)
      end(terminal)
      assert.equal(await terminal.exitCode, code)
      assertRestored(terminal.written)
      assert.match(stage.log, /Stopped by SIG(INT|TERM|HUP)\.\n$/)
    }
    await using again = stage.port({ columns: 80, rows: 24 }, { env: { NO_COLOR: '1' } })
    assert.equal(await again.exitCode, 0)
    assert.doesNotMatch(again.written, COLOUR)
    assertRestored(again.written)
  })
}

test('an error is told on the restored terminal and in the log', options, async () => {
  await using stage = await Stage.set(100)
  onSqlite(stage.file.path ?? '', (db) => db.exec(`UPDATE numbers SET next = ${2n ** 60n} WHERE name = 'user'`))
  await using terminal = stage.port({ columns: 80, rows: 24 })
  assert.equal(await terminal.exitCode, 6)
  for (const text of [assertRestored(terminal.written), stage.log]) {
    assert.match(text, /UPDATE numbers SET next = \d+ WHERE name = 'user';/)
    assert.match(text, /The counters of the file of SQLite do not agree with its tables/)
  }
  writeFileSync(stage.file.path ?? '', 'no database')
  await using broken = stage.port({ columns: 80, rows: 24 })
  assert.equal(await broken.exitCode, 5)
  for (const text of [assertRestored(broken.written), stage.log]) assert.match(text, /cannot be read as a SQLite/)
})

test('a log that cannot be written is told, and nothing is begun', options, async () => {
  await using stage = await Stage.set(100)
  mkdirSync(join(stage.base.folder, 'port-synapse.log'))
  await using terminal = stage.port({ columns: 80, rows: 24 })
  assert.equal(await terminal.exitCode, 5)
  assert.match(terminal.written, /port-synapse\.log is written into this folder, and that cannot be done: EISDIR/)
  assert.doesNotMatch(terminal.written, new RegExp(`${ESC}|\\n +at `))
})

test('a port whose terminal goes away ends, and the next run finishes it', options, async () => {
  await using stage = await Stage.set(2_000)
  {
    await using terminal = stage.port({ columns: 80, rows: 24 }, { args: ['--batch-size', '1'] })
    await terminal.shows(/Copying/)
  }
  // It waits until the other one is gone: two ports do not write to one database.
  await using again = stage.port({ columns: 80, rows: 24 })
  assert.equal(await again.exitCode, 0)
  assert.match(stage.log, /Done: every row is there/)
})
