import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { putRoomKeyBySessionId, getRoomKeyBySessionId, postRoomKeysVersion } from '#api/client/key-backup.ts'
import { whoAmI } from '#api/client/sessions.ts'
import { sync } from '#api/client/sync.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { type Place, postgresPlace, sqlitePlace, startHomeserver } from '#test/helpers/homeserver.ts'
import { onPostgres, runPort } from '#test/helpers/port.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: URI === undefined ? 'no PostgreSQL: run it by npm test' : false }

/** The address of the database that a place is in. */
const uriOf = (place: Place): string => {
  const args = JSON.parse(/args: (\{.*\}) \}/.exec(place.database)?.[1] ?? '{}')
  return `postgres://${args.user}@${args.host}:${args.port}/${args.database}`
}
