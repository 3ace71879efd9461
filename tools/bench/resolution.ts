import { authorize } from '#protocol/auth/authorize.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import { resolve } from '#protocol/state/resolve.ts'
import type { JsonObject } from '#util/json.ts'
import type { Figure } from './rows.ts'

const MEMBERS = 50_000
const CONFLICTS = 100

type Wishes = { readonly stateKey?: string; readonly content: JsonObject; readonly auth?: readonly string[] }

/** A room made in memory, without signatures: the resolution does not look at them. */
class Room {
  readonly events = new Map<string, RoomEvent>()

  add(type: string, sender: string, { stateKey = '', content, auth = [] }: Wishes): string {
    const n = this.events.size
    const eventId = `$${n}` as EventId
    this.events.set(eventId, {
      eventId,
      roomId: '!room:example.org' as RoomId,
      type,
      sender: sender as UserId,
      stateKey,
      content,
      originServerTs: n,
      depth: n,
      prevEvents: [],
      authEvents: auth as EventId[],
      redacts: undefined,
      pdu: {},
    })
    return eventId
  }
}

/** Two states of 50,000 members that differ in 100 of them. */
function forkedRoom(): { readonly room: Room; readonly branches: readonly Map<string, string>[] } {
  const room = new Room()
  const creator = '@creator:example.org'
  const create = room.add('m.room.create', creator, { content: { room_version: '11' } })
  const join = room.add('m.room.member', creator, {
    stateKey: creator,
    content: { membership: 'join' },
    auth: [create],
  })
  const levels = room.add('m.room.power_levels', creator, {
    content: { users: { [creator]: 100 } },
    auth: [create, join],
  })
  const rule = room.add('m.room.join_rules', creator, {
    content: { join_rule: 'public' },
    auth: [create, join, levels],
  })
  const state = new Map([
    ['m.room.create\0', create],
    [`m.room.member\0${creator}`, join],
    ['m.room.power_levels\0', levels],
    ['m.room.join_rules\0', rule],
  ])
  const member = (n: number) => `@m${n}:example.org`
  const joined = (n: number, more: { readonly auth: readonly string[]; readonly displayname?: string }) => {
    const { auth, ...profile } = more
    return room.add('m.room.member', member(n), {
      stateKey: member(n),
      content: { membership: 'join', ...profile },
      auth,
    })
  }
  for (let n = 0; n < MEMBERS; n++)
    state.set(`m.room.member\0${member(n)}`, joined(n, { auth: [create, levels, rule] }))
  const branches = [new Map(state), new Map(state)]
  for (let n = 0; n < CONFLICTS; n++) {
    const key = `m.room.member\0${member(n)}`
    const auth = [create, levels, rule, state.get(key) ?? '']
    for (const [branch, map] of branches.entries())
      map.set(key, joined(n, { auth, displayname: `${n} of branch ${branch}` }))
  }
  return { room, branches }
}

/** Resolves two states of 50,000 entries that differ in 100, in room version 11, with all rules. */
export const resolution = async (): Promise<Figure[]> => {
  const rules = roomVersion('11')
  if (rules === undefined) throw new Error('room version 11 is not known')
  const { room, branches } = forkedRoom()
  const run = () =>
    resolve(branches, {
      rules,
      event: (id) => room.events.get(id),
      authEvents: (id) => room.events.get(id)?.authEvents ?? [],
      keyOf: (type, stateKey) => `${type}\0${stateKey}`,
      isAllowed: (event, by) => authorize(event, by, rules),
    }).decided.size
  for (let n = 0; n < 5; n++) run()
  const times = Array.from({ length: 15 }, () => {
    const at = performance.now()
    run()
    return performance.now() - at
  }).sort((a, b) => a - b)
  return [{ name: 'state resolution, 2 x 50,000, 100 conflicts', value: times[7] ?? Number.NaN, unit: 'ms' }]
}
