import assert from 'node:assert/strict'
import { test } from 'node:test'
import type pg from 'pg'
import { checkServer } from './checks.ts'

/** A server of a version that there is none of here; it knows no column that came later. */
const serverOf = (version: string): pg.Client =>
  ({
    query: async (sql: string) => {
      if (sql === 'SHOW server_version') return { rows: [{ server_version: version }] }
      if (/datlocale|daticulocale|datlocprovider|datcollversion/.test(sql)) throw new Error('column does not exist')
      return { rows: [{ datname: 'synapse', encoding: 'UTF8', provider: 'c', datcollate: 'C', datctype: 'C' }] }
    },
  }) as unknown as pg.Client

test('a PostgreSQL older than 14 is refused with one line', async () => {
  for (const version of ['13.23', '13.23 (Debian 13.23-1)', '10.0', '9.6.24'])
    await assert.rejects(checkServer(serverOf(version), true), {
      name: 'DatabaseRefused',
      message: `Myelin needs PostgreSQL 14 or later; the server is ${version}.`,
    })
  for (const version of ['14.0', '14beta1', '14.23 (Debian 14.23-1)'])
    assert.deepEqual(await checkServer(serverOf(version), false), { version, warnings: [] })
})
