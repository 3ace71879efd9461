import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawFrame } from './frame.ts'
import { PortProgress, printDuration } from './progress.ts'

function halfDone(): PortProgress {
  let now = 0
  const progress = new PortProgress(() => now)
  progress.step = 'Copying'
  progress.counted(
    new Map([...Array.from({ length: 30 }, (_, n) => [`table${n}`, n * 100] as const), ['events', 100_000]]),
  )
  now = 10_000
  progress.told({ table: 'events', phase: 'copy', done: 50_000, total: 100_000 })
  progress.told({ table: 'table3', phase: 'done', done: 300, total: 300 })
  return progress
}
const colour = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`)

test('what runs stands first, what is done last, with a bar, rates and the time that is left', () => {
  const lines = drawFrame(halfDone(), { columns: 100, rows: 40, hasColour: true })
  assert.match(lines[0] ?? '', /Copying {2}\d\d% {2}10 s, \d+ s left {2}[\d,]+ rows\/s/)
  assert.match(lines[2] ?? '', /events \[#{10} {10}\] {2}50% +100,000 {2}copying/)
  assert.match(lines[2] ?? '', colour)
  assert.match(lines.at(-1) ?? '', /table3 \[#{20}\] 100%/)
})

test('a terminal of any size gets what fits into it, and no colours where none are wanted', () => {
  for (let columns = 1; columns < 120; columns += 7) {
    for (let rows = 1; rows < 45; rows += 3) {
      const lines = drawFrame(halfDone(), { columns, rows, hasColour: false })
      assert.ok(lines.length <= rows, `${lines.length} lines for ${rows}`)
      assert.ok(lines.every((line) => line.length <= columns && !colour.test(line)))
    }
  }
  assert.match(drawFrame(halfDone(), { columns: 80, rows: 10, hasColour: false }).at(-1) ?? '', /and \d+ more/)
})

test('durations are told as people do', () => {
  assert.deepEqual([0, 59_400, 187_000, 3_720_000].map(printDuration), ['0 s', '59 s', '3 min 07 s', '1 h 02 min'])
})
