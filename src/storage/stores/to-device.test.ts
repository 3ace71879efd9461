import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import { deviceAdded } from './devices.ts'
import { toDeviceAdded, toDeviceEnds, toDeviceMessages, toDeviceRemoved } from './to-device.ts'

const message = (deviceId: string, n: number): Change => {
  const change = new Change()
  const pos = change.log({ kind: LOG_KIND.toDevice, user: 1 })
  return change.write(toDeviceAdded, { user: 1, deviceId, pos, sender: 2, type: 't\0\ud800', content: `{"n":${n}}` })
}
const device = (deviceId: string) => ({
  user: 1,
  deviceId,
  displayName: undefined,
  createdTs: 1,
  lastSeenTs: undefined,
  lastSeenIp: undefined,
  lastSeenUserAgent: undefined,
})
const COUNT = row({ count: integer() })

eachDatabase('messages wait in the order of arrival until they are removed, with their log rows', async (test) => {
  const { db, commit } = test
  await commit(new Change().write(deviceAdded, device('D')).write(deviceAdded, device('E')))
  await Promise.all([message('D', 1), message('E', 2), message('D', 3), message('none', 4)].map(commit))
  const all = { since: 0, upTo: 1e9, limit: 10 }
  const messages = await toDeviceMessages(db, { user: 1, deviceId: 'D' }, all)
  assert.deepEqual(
    messages.map(({ content, type }) => [content, type]),
    [
      ['{"n":1}', 't\0\ud800'],
      ['{"n":3}', 't\0\ud800'],
    ],
  )
  const [first, last] = messages
  assert.ok(first && last)
  assert.deepEqual(await toDeviceEnds(db, { user: 1, deviceId: 'D' }), { first: first.pos, last: last.pos })
  assert.equal((await toDeviceMessages(db, { user: 1, deviceId: 'D' }, { ...all, limit: 1 })).length, 1)
  assert.deepEqual(await toDeviceMessages(db, { user: 1, deviceId: 'D' }, { ...all, upTo: first.pos - 1 }), [])
  assert.deepEqual(await toDeviceMessages(db, { user: 1, deviceId: 'none' }, all), [])

  await commit(new Change().write(toDeviceRemoved, { user: 1, deviceId: 'D', upTo: first.pos }))
  assert.deepEqual(await toDeviceEnds(db, { user: 1, deviceId: 'D' }), { first: last.pos, last: last.pos })
  assert.equal((await toDeviceMessages(db, { user: 1, deviceId: 'E' }, all)).length, 1)
  // Of the four rows of the log, that of the message that arrived is gone.
  assert.equal((await db.get(COUNT, sql`SELECT count(*) FROM log`))?.count, 3)
  await commit(new Change().write(toDeviceRemoved, { user: 1, deviceId: 'D', upTo: Number.MAX_SAFE_INTEGER }))
  assert.equal(await toDeviceEnds(db, { user: 1, deviceId: 'D' }), undefined)
})
