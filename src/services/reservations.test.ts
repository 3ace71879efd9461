import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reservations } from './reservations.ts'

test('a reserved name is for the application service that reserved it alone', () => {
  const reservations = new Reservations([
    { appserviceId: 'irc', kind: 'user', holds: (id) => id.startsWith('@irc_') },
    { appserviceId: 'irc', kind: 'alias', holds: (id) => id.startsWith('#irc_') },
  ])
  reservations.judge('user', '@alice:example.org', undefined)
  reservations.judge('user', '@irc_alice:example.org', 'irc')
  reservations.judge('user', '#irc_room:example.org', undefined)
  for (const who of [undefined, 'other']) {
    assert.throws(() => reservations.judge('user', '@irc_alice:example.org', who), { errcode: 'M_EXCLUSIVE' })
    assert.throws(() => reservations.judge('alias', '#irc_room:example.org', who), { errcode: 'M_EXCLUSIVE' })
  }
})
