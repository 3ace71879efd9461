import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noFiles } from './files.ts'
import { loadConfigText } from './load.ts'
import { logConfigYaml } from './log-template.ts'
import { formatNotice, formatProblem } from './problem.ts'

const MAIN = `server_name: example.org
listeners: [{port: 8008, type: http}]
database: {args: {database: a.db}}
`
const load = (text: string) =>
  loadConfigText(`${MAIN}log_config: log.yaml\n`, {
    ...noFiles,
    read: (path) => (path === '/log.yaml' ? { kind: 'text', text } : { kind: 'missing' }),
  })
const plan = (text: string) => {
  const loaded = load(text)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return { plan: loaded.config.logging, notices: loaded.notices.map(formatNotice) }
}

test('the log settings that we generate are understood without a notice', () => {
  const { plan: logging, notices } = plan(logConfigYaml('/var/log/homeserver.log'))
  assert.deepEqual(notices, [])
  assert.equal(logging.level, 'info')
  assert.deepEqual(logging.levels, { 'synapse.storage.SQL': 'info' })
  assert.deepEqual(
    logging.outputs.map(({ target, format, level }) => ({ target, format, level })),
    [
      {
        target: { kind: 'file', path: '/var/log/homeserver.log', rotation: { kind: 'time', every: 'day', kept: 3 } },
        format: 'text',
        level: undefined,
      },
      { target: { kind: 'stderr' }, format: 'text', level: 'warn' },
    ],
  )
})

test('structured logging gives JSON', () => {
  const { plan: logging } = plan(`version: 1
formatters: {structured: {class: synapse.logging.TerseJsonFormatter}}
handlers:
  out: {class: logging.StreamHandler, formatter: structured, stream: "ext://sys.stdout"}
  file: {class: logging.handlers.RotatingFileHandler, formatter: structured, filename: a.log, maxBytes: 1000, backupCount: 2}
loggers: {synapse: {level: DEBUG, handlers: [file]}}
root: {level: WARNING, handlers: [out]}
`)
  assert.equal(logging.level, 'debug')
  assert.deepEqual(logging.outputs, [
    { target: { kind: 'stdout' }, format: 'json', pattern: undefined, level: undefined },
    {
      target: { kind: 'file', path: '/a.log', rotation: { kind: 'size', maxBytes: 1000, kept: 2 } },
      format: 'json',
      pattern: undefined,
      level: undefined,
    },
  ])
})

test('classes that Myelin does not have are told with their place', () => {
  const { plan: logging, notices } = plan(`version: 1
formatters: {odd: {class: my.Formatter}}
handlers:
  syslog: {class: logging.handlers.SysLogHandler}
  console: {class: logging.StreamHandler, formatter: odd}
root: {handlers: [syslog, console]}
structured: true
`)
  assert.equal(logging.outputs.length, 1)
  assert.deepEqual(notices, [
    '/log.yaml:7:1 structured: Not used: this part of Python logging has no meaning here.',
    '/log.yaml:4:3 handlers.syslog: Not used: Myelin has no handler like logging.handlers.SysLogHandler, so that its lines go nowhere.',
    '/log.yaml:2:14 formatters.odd: Not used: Myelin has no formatter like my.Formatter, and writes text.',
  ])
})

test('mistakes in the log settings are errors with their place', () => {
  const loaded = load('version: 1\nroot: {level: LOUD, handlers: [gone]}\n')
  assert.ok(!loaded.ok)
  assert.deepEqual(loaded.problems.map(formatProblem), [
    '/log.yaml:1:1 handlers: There is no handler called gone.',
    '/log.yaml:2:15 root.level: Expected one of CRITICAL, FATAL, ERROR, WARNING, WARN, INFO, DEBUG, NOTSET.',
  ])
})

test('a missing file of log settings is an error', () => {
  const loaded = loadConfigText(`${MAIN}log_config: gone.yaml\n`)
  assert.ok(!loaded.ok)
  assert.deepEqual(loaded.problems.map(formatProblem), [
    'homeserver.yaml:4:13 log_config: There is no such file: /gone.yaml.',
  ])
})

test('the log can be set up in three words instead', () => {
  const loaded = loadConfigText(`${MAIN}logging: {level: debug, format: json, file: a.log}\n`)
  assert.ok(loaded.ok)
  const target = { kind: 'file', path: '/a.log', rotation: { kind: 'none' } }
  assert.deepEqual(loaded.config.logging, {
    level: 'debug',
    levels: {},
    outputs: [{ target, format: 'json', pattern: undefined, level: undefined }],
  })
})

test('the log is set up in one way only', () => {
  const loaded = loadConfigText(`${MAIN}logging: {level: debug}\nlog_config: x\n`)
  assert.ok(!loaded.ok)
})
