import { describe } from 'node:test'
import { membership, stateOf, testRows, versionsFrom } from './auth-room.testing.ts'

const joinRule = (join_rule: unknown) => [stateOf('m.room.join_rules', { join_rule } as never)]
const levels = (content: object) => [stateOf('m.room.power_levels', content as never)]
const by = (sender: string, user: string, what: string) => membership(user, what, { sender })
describe('a membership', () => {
  testRows([
    {
      name: 'needs a state key',
      event: { type: 'm.room.member', sender: '@alice:x', content: { membership: 'join' } },
      verdict: ({ member }) => `${member}.1`,
    },
    {
      name: 'needs a membership',
      event: { type: 'm.room.member', sender: '@alice:x', stateKey: '@alice:x' },
      verdict: ({ member }) => `${member}.1`,
    },
    { name: 'that nobody knows is refused', event: membership('@alice:x', 'dance'), verdict: ({ unknown }) => unknown },
    { name: 'that is no text is refused', event: membership('@alice:x', 1), verdict: ({ unknown }) => unknown },
    {
      name: 'knock is unknown before version 7',
      event: membership('@new:x', 'knock'),
      state: joinRule('knock'),
      verdict: ({ unknown }) => unknown,
      versions: versionsFrom(1, 6),
    },
  ])
})

describe('inviting', () => {
  testRows([
    { name: 'is allowed to a member with the power', event: by('@mod:x', '@new:x', 'invite'), verdict: 'allowed' },
    { name: 'is allowed again', event: by('@mod:x', '@invited:x', 'invite'), verdict: 'allowed' },
    { name: 'a user who left, or knocks, is allowed', event: by('@mod:x', '@knocker:x', 'invite'), verdict: 'allowed' },
    {
      name: 'takes no power where the levels do not say',
      event: by('@alice:x', '@new:x', 'invite'),
      state: levels({}),
      verdict: 'allowed',
    },
    {
      name: 'takes no power where there are no levels',
      event: by('@alice:x', '@new:x', 'invite'),
      without: ['m.room.power_levels'],
      verdict: 'allowed',
    },
    {
      name: 'is refused to who is no member',
      event: by('@left:x', '@new:x', 'invite'),
      verdict: ({ invite }) => `${invite}.2`,
    },
    { name: 'a member is refused', event: by('@mod:x', '@alice:x', 'invite'), verdict: ({ invite }) => `${invite}.3` },
    {
      name: 'a banned user is refused',
      event: by('@mod:x', '@banned:x', 'invite'),
      verdict: ({ invite }) => `${invite}.3`,
    },
    {
      name: 'is refused without the power',
      event: by('@alice:x', '@new:x', 'invite'),
      verdict: ({ invite }) => `${invite}.5`,
    },
    {
      name: 'takes the power that a creator always has',
      event: by('@creator:x', '@new:x', 'invite'),
      state: levels({ invite: 1000 }),
      versions: ['12'],
      verdict: 'allowed',
    },
    {
      name: 'takes more than a creator has in older versions',
      event: by('@creator:x', '@new:x', 'invite'),
      state: levels({ invite: 1000 }),
      versions: versionsFrom(1, 11),
      verdict: ({ invite }) => `${invite}.5`,
    },
    {
      name: 'by levels that cannot be read is refused',
      event: by('@mod:x', '@new:x', 'invite'),
      state: levels({ users: 1 }),
      verdict: () => 'power_levels',
    },
  ])
})

describe('leaving', () => {
  testRows([
    { name: 'is allowed to a member', event: membership('@alice:x', 'leave'), verdict: 'allowed' },
    { name: 'is allowed to an invited user', event: membership('@invited:x', 'leave'), verdict: 'allowed' },
    {
      name: 'is allowed to a knocker from version 7',
      event: membership('@knocker:x', 'leave'),
      versions: versionsFrom(7),
      verdict: 'allowed',
    },
    {
      name: 'is refused to a knocker before version 7',
      event: membership('@knocker:x', 'leave'),
      versions: versionsFrom(1, 6),
      verdict: ({ leave }) => `${leave}.1`,
    },
    {
      name: 'is refused to a banned user',
      event: membership('@banned:x', 'leave'),
      verdict: ({ leave }) => `${leave}.1`,
    },
    {
      name: 'is refused to a user who left',
      event: membership('@left:x', 'leave'),
      verdict: ({ leave }) => `${leave}.1`,
    },
    { name: 'is refused to a stranger', event: membership('@new:x', 'leave'), verdict: ({ leave }) => `${leave}.1` },
  ])
})

describe('kicking', () => {
  testRows([
    { name: 'is allowed with the power', event: by('@mod:x', '@alice:x', 'leave'), verdict: 'allowed' },
    {
      name: 'is refused to who is no member',
      event: by('@left:x', '@alice:x', 'leave'),
      verdict: ({ leave }) => `${leave}.2`,
    },
    {
      name: 'is refused without the power',
      event: by('@alice:x', '@bob:y', 'leave'),
      verdict: ({ leave }) => `${leave}.5`,
    },
    {
      name: 'a user of the same power is refused',
      event: by('@mod:x', '@peer:x', 'leave'),
      verdict: ({ leave }) => `${leave}.5`,
    },
    {
      name: 'a user of more power is refused',
      event: by('@mod:x', '@admin:x', 'leave'),
      verdict: ({ leave }) => `${leave}.5`,
    },
    {
      name: 'a creator is refused',
      event: by('@admin:x', '@creator:x', 'leave'),
      versions: ['12'],
      verdict: ({ leave }) => `${leave}.5`,
    },
    {
      name: 'by levels that cannot be read is refused',
      event: by('@mod:x', '@alice:x', 'leave'),
      state: levels({ users: 1 }),
      verdict: () => 'power_levels',
    },
  ])
})

describe('unbanning', () => {
  const strict = levels({ users: { '@admin:x': 100, '@mod:x': 50 }, ban: 60, kick: 50 })
  testRows([
    {
      name: 'is allowed with the power to ban and to kick',
      event: by('@mod:x', '@banned:x', 'leave'),
      verdict: 'allowed',
    },
    {
      name: 'is refused without the power to ban',
      event: by('@mod:x', '@banned:x', 'leave'),
      state: strict,
      verdict: ({ leave }) => `${leave}.3`,
    },
    {
      name: 'is refused without the power to kick',
      event: by('@mod:x', '@banned:x', 'leave'),
      state: levels({ users: { '@mod:x': 50 }, ban: 50, kick: 60 }),
      verdict: ({ leave }) => `${leave}.5`,
    },
  ])
})

describe('banning', () => {
  testRows([
    { name: 'is allowed with the power', event: by('@mod:x', '@alice:x', 'ban'), verdict: 'allowed' },
    { name: 'a stranger is allowed', event: by('@mod:x', '@new:x', 'ban'), verdict: 'allowed' },
    {
      name: 'is refused to who is no member',
      event: by('@left:x', '@alice:x', 'ban'),
      verdict: ({ ban }) => `${ban}.1`,
    },
    { name: 'is refused without the power', event: by('@alice:x', '@bob:y', 'ban'), verdict: ({ ban }) => `${ban}.3` },
    {
      name: 'a user of the same power is refused',
      event: by('@mod:x', '@peer:x', 'ban'),
      verdict: ({ ban }) => `${ban}.3`,
    },
    {
      name: 'by levels that cannot be read is refused',
      event: by('@mod:x', '@alice:x', 'ban'),
      state: levels({ users: 1 }),
      verdict: () => 'power_levels',
    },
  ])
})

describe('knocking', () => {
  const state = joinRule('knock')
  const versions = versionsFrom(7)
  testRows([
    { name: 'is allowed to a stranger', event: membership('@new:x', 'knock'), state, versions, verdict: 'allowed' },
    { name: 'is allowed again', event: membership('@knocker:x', 'knock'), state, versions, verdict: 'allowed' },
    {
      name: 'is allowed to a user who left',
      event: membership('@left:x', 'knock'),
      state,
      versions,
      verdict: 'allowed',
    },
    {
      name: 'is refused by other join rules',
      event: membership('@new:x', 'knock'),
      versions,
      verdict: ({ knock }) => `${knock}.1`,
    },
    {
      name: 'for another user is refused',
      event: by('@mod:x', '@new:x', 'knock'),
      state,
      versions,
      verdict: ({ knock }) => `${knock}.2`,
    },
    {
      name: 'is refused to a banned user',
      event: membership('@banned:x', 'knock'),
      state,
      versions,
      verdict: ({ knock }) => `${knock}.4`,
    },
    {
      name: 'is refused to an invited user',
      event: membership('@invited:x', 'knock'),
      state,
      versions,
      verdict: ({ knock }) => `${knock}.4`,
    },
    {
      name: 'is refused to a member',
      event: membership('@alice:x', 'knock'),
      state,
      versions,
      verdict: ({ knock }) => `${knock}.4`,
    },
    {
      name: 'is allowed by the join rule knock_restricted from version 10',
      event: membership('@new:x', 'knock'),
      state: joinRule('knock_restricted'),
      versions: versionsFrom(10),
      verdict: 'allowed',
    },
    {
      name: 'is refused by the join rule knock_restricted before version 10',
      event: membership('@new:x', 'knock'),
      state: joinRule('knock_restricted'),
      versions: versionsFrom(7, 9),
      verdict: ({ knock }) => `${knock}.1`,
    },
  ])
})
