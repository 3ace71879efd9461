import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConninfo } from './conninfo.ts'

const settings = (text: string) => {
  const read = readConninfo(text)
  assert.ok(read.ok, read.ok ? '' : read.sentence)
  return Object.fromEntries(read.settings)
}
const complaint = (text: string): string => {
  const read = readConninfo(text)
  return read.ok ? 'none' : read.sentence
}

test('keywords and values are read as libpq reads them', () => {
  assert.deepEqual(settings(''), {})
  assert.deepEqual(settings("host=localhost port = 5432\tuser='it is'"), {
    host: 'localhost',
    port: '5432',
    user: 'it is',
  })
  assert.deepEqual(settings('port=1 port=2'), { port: '2' })
})

test('quotes and backslashes protect what a value contains', () => {
  assert.deepEqual(settings(String.raw`password='a b\'c\\' dbname=x\ y user=''`), {
    password: "a b'c\\",
    dbname: 'x y',
    user: '',
  })
})

test('URIs are read with users, lists of hosts, IPv6 and parameters', () => {
  assert.deepEqual(settings('postgres://'), {})
  assert.deepEqual(
    settings('postgresql://us%20er:p%40ss:w?rd@h1:1,[::1]:2,h3/db%C3%A9?sslmode=require&options=-c%20a%3Db'),
    {
      user: 'us er',
      password: 'p@ss:w?rd',
      host: 'h1,::1,h3',
      port: '1,2,',
      dbname: 'dbé',
      sslmode: 'require',
      options: '-c a=b',
    },
  )
  assert.deepEqual(settings('postgres:///db?host=/run/pg&ssl=true'), {
    dbname: 'db',
    host: '/run/pg',
    sslmode: 'require',
  })
  assert.deepEqual(settings('postgres://%2Frun%2Fpg/db'), { host: '/run/pg', dbname: 'db' })
})

test('what is wrong with a connection string is said without what may be a password', () => {
  for (const text of [
    'password=my topsecret',
    "password='topsecret",
    'password=my topsecret=x',
    'postgres://user:topsecret%zz@host/db',
    'postgres://user:topsecret@[::1/db',
    'postgres://user:topsecret@host/db?nosuch=1',
    'postgres://user:topsecret@host/db?sslmode',
  ]) {
    assert.notEqual(complaint(text), 'none', text)
    assert.doesNotMatch(complaint(text), /topsecret/)
  }
})
