import type { ActiveRoom } from '#rooms/active-room.ts'
import { RoomRegistry } from '#rooms/registry.ts'
import { DeviceTransactions, knownTransactionsBytes } from '#services/events/device-transactions.ts'
import { RedactedContent } from '#services/events/redacted-content.ts'
import { RoomSender } from '#services/events/room-sender.ts'
import { EventSender } from '#services/events/send-event.ts'
import { Transactions } from '#services/events/transactions.ts'
import { Limiter, type Rate } from '#services/limiter.ts'
import { MemberProfiles } from '#services/profiles/member-profiles.ts'
import { Judge } from '#services/push/judge.ts'
import { RoomAliases } from '#services/rooms/aliases.ts'
import { RoomCreator } from '#services/rooms/create-room.ts'
import { Invitations } from '#services/rooms/invitations.ts'
import { Memberships } from '#services/rooms/memberships.ts'
import { Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { fingerprintKey } from '#storage/stores/states.ts'
import type { Foundation } from './wire-foundation.ts'
import type { UserData } from './wire-user-data.ts'

/** Rooms, and what is done in them. */
export const wireRooms = async (foundation: Foundation, { pushRules }: UserData) => {
  const { config, db, cache, clock, store, serverName, signingKey, random } = foundation
  const fingerprints = new Fingerprints(await fingerprintKey(db))
  const rooms = new RoomRegistry({
    store,
    active: cache<number, ActiveRoom>((room) => room.bytes, 'active_rooms'),
    fingerprints,
  })
  const origin = { serverName, signingKey, random }
  const transactions = new Transactions({
    ...foundation,
    ofDevices: new DeviceTransactions({ db, known: cache(knownTransactionsBytes, 'transactions') }),
    recent: cache<string, string>((_, key) => key.length * 2 + 100, 'transactions'),
  })
  const profiles = new MemberProfiles(foundation)
  const customRules = {
    users: () => pushRules.customUsers(),
    of: async (user: number) => (await pushRules.rulesOf(user)).compiled,
  }
  const { judge } = new Judge({ ...foundation, customRules })
  const sender = new EventSender({ ...foundation, rooms, origin, transactions, judge })
  const { rateLimits } = config
  const rate = (settings: Rate) => new Limiter(settings, clock)
  const invitations = new Invitations({
    ...foundation,
    onlyAdminsInvite: config.rooms.isInvitingForAdminsOnly,
    issuerLimiter: rate(rateLimits.invites.perIssuer),
    roomLimiter: rate(rateLimits.invites.perRoom),
    inviteeLimiter: rate(rateLimits.invites.perUser),
  })
  const creator = new RoomCreator({
    ...foundation,
    invitations,
    limiter: rate(rateLimits.roomCreation),
    rooms,
    sender,
    origin,
    fingerprints,
    profiles,
    settings: {
      defaultVersion: config.rooms.defaultVersion,
      encryptByDefault: config.rooms.encryptedByDefault,
      powerLevelOverrides: config.rooms.powerLevelOverride,
    },
  })
  const roomMemberships = new Memberships({
    ...foundation,
    invitations,
    joinLimiter: rate(rateLimits.joins.local),
    roomJoinLimiter: rate(rateLimits.joinsPerRoom),
    rooms,
    sender,
    profiles,
    settings: {
      forgetOnLeave: config.rooms.areForgottenOnLeave,
      perRoomProfiles: config.rooms.mayHavePerRoomProfiles,
    },
  })
  const redactedContent = new RedactedContent({ ...foundation, keptMs: config.rooms.redactedContentRetentionMs })
  const roomSender = new RoomSender({
    ...foundation,
    rooms,
    sender,
    roomMemberships,
    redactedContent,
    messageLimiter: rate(rateLimits.message),
    redactionLimiter: rateLimits.adminRedaction === undefined ? undefined : rate(rateLimits.adminRedaction),
  })
  const aliases = new RoomAliases({ ...foundation, rooms, sender })
  return { aliases, roomSender, rooms, transactions, sender, creator, roomMemberships, profiles }
}
