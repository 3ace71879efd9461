import { describe } from 'node:test'
import { createIdOf, membership, type Row, stateOf, testRows, versionsFrom } from './auth-room.testing.ts'

const joinRule = (join_rule: unknown) => [stateOf('m.room.join_rules', { join_rule } as never)]
const firstJoin = (user: string) => (version: string) => membership(user, 'join', { prevEvents: [createIdOf(version)] })
const by = (sender: string, user: string, what: string) => membership(user, what, { sender })
const authorised = (user: string, by: unknown, what = 'join') =>
  membership(user, what, { content: { join_authorised_via_users_server: by } as never })

describe('joining', () => {
  const rows: readonly Row[] = [
    {
      name: 'is allowed to the creator right after the create event',
      event: firstJoin('@creator:x'),
      without: ['m.room.member', 'm.room.join_rules', 'm.room.power_levels'],
      verdict: 'allowed',
    },
    {
      name: 'is not allowed to anybody else right after the create event',
      event: firstJoin('@other:x'),
      without: ['m.room.member', 'm.room.join_rules', 'm.room.power_levels'],
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'is not allowed to the creator later without an invite',
      event: membership('@creator:x', 'join'),
      without: ['m.room.member'],
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'is not allowed to additional creators right after the create event',
      event: firstJoin('@other:x'),
      without: ['m.room.member'],
      state: [
        {
          type: 'm.room.create',
          stateKey: '',
          sender: '@creator:x',
          eventId: createIdOf('12'),
          content: { additional_creators: ['@other:x'] },
        },
      ],
      versions: ['12'],
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'up to version 10 is allowed to the creator that the content names',
      event: firstJoin('@named:x'),
      state: [
        {
          type: 'm.room.create',
          stateKey: '',
          sender: '@creator:x',
          eventId: createIdOf('1'),
          content: { creator: '@named:x' },
        },
      ],
      versions: versionsFrom(1, 10),
      verdict: 'allowed',
    },
    {
      name: 'from version 11 is not allowed to the creator that the content names',
      event: firstJoin('@named:x'),
      state: [
        {
          type: 'm.room.create',
          stateKey: '',
          sender: '@creator:x',
          eventId: createIdOf('11'),
          content: { creator: '@named:x' },
        },
      ],
      versions: ['11'],
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'for another user is refused',
      event: by('@admin:x', '@new:x', 'join'),
      state: joinRule('public'),
      verdict: ({ join }) => `${join}.2`,
    },
    {
      name: 'is refused to a banned user',
      event: membership('@banned:x', 'join'),
      state: joinRule('public'),
      verdict: ({ join }) => `${join}.3`,
    },
    { name: 'by invite is allowed to an invited user', event: membership('@invited:x', 'join'), verdict: 'allowed' },
    { name: 'by invite is allowed to a member, again', event: membership('@alice:x', 'join'), verdict: 'allowed' },
    {
      name: 'by invite is refused to a stranger',
      event: membership('@new:x', 'join'),
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'by invite is refused to a knocker',
      event: membership('@knocker:x', 'join'),
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'without a join rule takes an invite',
      event: membership('@new:x', 'join'),
      without: ['m.room.join_rules'],
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'without a join rule is allowed to an invited user',
      event: membership('@invited:x', 'join'),
      without: ['m.room.join_rules'],
      verdict: 'allowed',
    },
    {
      name: 'is allowed to all in a public room',
      event: membership('@new:x', 'join'),
      state: joinRule('public'),
      verdict: 'allowed',
    },
    {
      name: 'is allowed in a public room to a user who left',
      event: membership('@left:x', 'join'),
      state: joinRule('public'),
      verdict: 'allowed',
    },
    {
      name: 'is refused by the join rule private',
      event: membership('@invited:x', 'join'),
      state: joinRule('private'),
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'is refused by a join rule that is no text',
      event: membership('@new:x', 'join'),
      state: joinRule(1),
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'a room for knocking takes an invite from version 7',
      event: membership('@invited:x', 'join'),
      state: joinRule('knock'),
      versions: versionsFrom(7),
      verdict: 'allowed',
    },
    {
      name: 'a room for knocking is refused to a knocker',
      event: membership('@knocker:x', 'join'),
      state: joinRule('knock'),
      versions: versionsFrom(7),
      verdict: ({ joinElse }) => joinElse,
    },
    {
      name: 'the join rule knock is nothing before version 7',
      event: membership('@invited:x', 'join'),
      state: joinRule('knock'),
      versions: versionsFrom(1, 6),
      verdict: ({ joinElse }) => joinElse,
    },
  ]
  testRows(rows)
})

for (const rule of ['restricted', 'knock_restricted']) {
  const versions = versionsFrom(rule === 'restricted' ? 8 : 10)
  const before = versionsFrom(1, rule === 'restricted' ? 7 : 9)
  const state = joinRule(rule)
  describe(`joining a room with the join rule ${rule}`, () => {
    testRows([
      {
        name: 'is allowed to an invited user',
        event: membership('@invited:x', 'join'),
        state,
        versions,
        verdict: 'allowed',
      },
      {
        name: 'is allowed to a member, again',
        event: membership('@alice:x', 'join'),
        state,
        versions,
        verdict: 'allowed',
      },
      {
        name: 'is allowed when a member who may invite authorises it',
        event: authorised('@new:x', '@mod:x'),
        state,
        versions,
        verdict: 'allowed',
      },
      {
        name: 'is allowed to a knocker whom a member authorises',
        event: authorised('@knocker:x', '@mod:x'),
        state,
        versions,
        verdict: 'allowed',
      },
      {
        name: 'is refused when nobody authorises it',
        event: membership('@new:x', 'join'),
        state,
        versions,
        verdict: ({ join }) => `${join}.5.2`,
      },
      {
        name: 'is refused when who authorises it is no member',
        event: authorised('@new:x', '@left:x'),
        state,
        versions,
        verdict: ({ join }) => `${join}.5.2`,
      },
      {
        name: 'is refused when who authorises it could invite but is no member',
        event: authorised('@new:x', '@left:x'),
        state: [...state, stateOf('m.room.power_levels', { users: { '@left:x': 100 } })],
        versions,
        verdict: ({ join }) => `${join}.5.2`,
      },
      {
        name: 'is refused when who authorises it may not invite',
        event: authorised('@new:x', '@alice:x'),
        state,
        versions,
        verdict: ({ join }) => `${join}.5.2`,
      },
      {
        name: 'is refused to a banned user all the same',
        event: authorised('@banned:x', '@mod:x'),
        state,
        versions,
        verdict: ({ join }) => `${join}.3`,
      },
      {
        name: 'is refused when what authorises it is no user ID',
        event: authorised('@new:x', 'mod'),
        state,
        versions,
        verdict: ({ member }) => `${member}.2.1`,
      },
      {
        name: 'is refused in versions that do not know the rule',
        event: authorised('@invited:x', '@mod:x'),
        state,
        versions: before,
        verdict: ({ joinElse }) => joinElse,
      },
    ])
  })
}

describe('what authorises a membership', () => {
  testRows([
    {
      name: 'must be a user ID, whatever the membership',
      event: authorised('@alice:x', 1, 'leave'),
      versions: versionsFrom(8),
      verdict: ({ member }) => `${member}.2.1`,
    },
    {
      name: 'does not matter before version 8',
      event: authorised('@alice:x', 1, 'leave'),
      versions: versionsFrom(1, 7),
      verdict: 'allowed',
    },
    {
      name: 'by a creator is enough',
      event: authorised('@new:x', '@creator:x'),
      state: joinRule('restricted'),
      versions: ['12'],
      verdict: 'allowed',
    },
  ])
})
