import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogOutput, LogPlan } from '#config/log-plan.ts'
import { inLogContext, newLogContext } from '#util/log-context.ts'
import { formatFor } from './formats.ts'
import type { LogLine } from './line.ts'
import { Log } from './log.ts'
import { redactedUrl } from './redacted-url.ts'

const line: LogLine = {
  level: 'warn',
  name: 'myelin',
  now: Date.UTC(2026, 10, 22, 20, 11, 4, 7),
  request: 'GET-17',
  message: 'pdu_rejected',
  fields: { eventId: '$x', count: 2, nested: { a: 1 }, absent: undefined },
  isMessageWhole: false,
}
const output = (more: Partial<LogOutput> = {}): LogOutput => ({
  target: { kind: 'stderr' },
  format: 'text',
  pattern: undefined,
  level: undefined,
  ...more,
})

test('a line of text has the time, the level, the request, the event and its fields', () => {
  assert.equal(
    formatFor(output(), false)(line),
    '2026-11-22T20:11:04.007Z WARNING  GET-17 pdu_rejected eventId=$x count=2 nested={"a":1}\n',
  )
  assert.ok(formatFor(output(), true)(line).includes('\u001b[33mWARNING \u001b[0m '))
})

test('text from outside makes no line of its own and does not steer a terminal', () => {
  const evil = { ...line, fields: { name: 'a\nERROR b\u001b[2J\u2028c' } }
  assert.equal(
    formatFor(output(), false)(evil).slice(33),
    ' GET-17 pdu_rejected name=a\n    ERROR b\\u001b[2J\\u2028c\n',
  )
})

test('JSON has the keys of Synapse, which no field can take', () => {
  const text = formatFor(output({ format: 'json' }), false)({ ...line, fields: { level: 'mine', ip: '::1' } })
  assert.deepEqual(JSON.parse(text), {
    ip: '::1',
    log: 'pdu_rejected',
    namespace: 'myelin',
    level: 'WARNING',
    time: line.now / 1000,
    request: 'GET-17',
  })
})

test('a layout of Python is followed as far as it has a meaning here', () => {
  const pattern = '%(name)s|%(levelname)-9s|%(levelname)9s|%(request)s|%(lineno)03d|%(threadName)s|100%%|%(message)s'
  const text = formatFor(output({ pattern }), false)({ ...line, request: undefined, fields: {} })
  assert.equal(text, 'myelin|WARNING  |  WARNING|sentinel|000||100%|pdu_rejected\n')
  assert.match(formatFor(output({ pattern: '%(asctime)s' }), false)(line), /^2026-11-2\d \d\d:\d\d:04,007\n$/)
})

test('secrets in an address are left out, and nothing else', () => {
  const cases = {
    '/path?since=s1&timeout=30000': '/path?since=s1&timeout=30000',
    '/path/access_token=x': '/path/access_token=x',
    '/path?access_token=x': '/path?access_token=<redacted>',
    '/path?a=1&access_token=x&b=%20': '/path?a=1&access_token=<redacted>&b=%20',
    '/path?access_token=x=y;b=2': '/path?access_token=<redacted>;b=2',
    '/path?loginToken=x&client_secret=y': '/path?loginToken=<redacted>&client_secret=<redacted>',
    '/path?%=x': '/path?%=<redacted>',
    '/path?pagination_token=kept': '/path?pagination_token=kept',
  }
  for (const [url, redacted] of Object.entries(cases)) assert.equal(redactedUrl(url), redacted)
})

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-log-'))
  try {
    await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const daily = (path: string, kept: number): LogPlan => ({
  level: 'info',
  levels: { myelin: 'debug' },
  outputs: [output({ target: { kind: 'file', path, rotation: { kind: 'time', every: 'day', kept } } })],
})

test('a file is put aside at midnight, and only so many old ones are kept', () =>
  inFolder(async (folder) => {
    let now = new Date(2026, 10, 20, 12).getTime()
    for (let day = 20; day < 25; day++) {
      now = new Date(2026, 10, day, 12).getTime()
      const log = new Log(daily(join(folder, 'x.log'), 2), () => now)
      log.logger.info('noon', { day })
      log.flushNow()
      now = new Date(2026, 10, day + 1, 0, 0, 1).getTime()
      log.logger.debug('night', { day })
      log.logger.error('worse', { day })
      await log[Symbol.asyncDispose]()
      utimesSync(join(folder, 'x.log'), now / 1000, now / 1000)
    }
    const names = readdirSync(folder).sort()
    assert.equal(names.length, 3)
    assert.ok(names.slice(1).every((name) => /^x\.log\.\d{4}-\d\d-\d\d$/.test(name)))
    assert.match(readFileSync(join(folder, 'x.log'), 'utf8'), /night day=24\n.*worse day=24\n$/)
  }))

test('lines carry the request that they belong to, and what is less than wanted is not written', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x.log')
    const target = { kind: 'file', path, rotation: { kind: 'none' } } as const
    const log = new Log({ level: 'info', levels: {}, outputs: [output({ target, level: 'warn' })] }, () => 0)
    inLogContext(newLogContext('PUT-1'), () => {
      log.logger.info('too little')
      log.logger.warn('enough')
    })
    log.fatal('the end', {})
    await log[Symbol.asyncDispose]()
    log.logger.error('after the end')
    assert.equal(
      readFileSync(path, 'utf8'),
      '1970-01-01T00:00:00.000Z WARNING  PUT-1 enough\n1970-01-01T00:00:00.000Z CRITICAL - the end\n',
    )
  }))
