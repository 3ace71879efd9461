import type { Config } from '#config/config.ts'
import { Hooks, type Module } from '#modules/registry.ts'
import type { ServerName } from '#protocol/identifiers.ts'
import type { SigningKey } from '#protocol/signing/signing-key.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import { MembershipIndex } from '#rooms/membership-index.ts'
import { RoomStore, type StateKeyName } from '#rooms/room-store.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { RoomViews } from '#rooms/views.ts'
import { Users } from '#services/accounts/users.ts'
import { Reservations } from '#services/reservations.ts'
import { Sessions } from '#services/sessions/sessions.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { Numbers } from '#storage/stores/numbers.ts'
import type { TokenHolder } from '#storage/stores/sessions.ts'
import type { UserRow } from '#storage/stores/users.ts'
import { Feed } from '#streams/feed.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import type { Random } from '#util/random.ts'
import { Caches } from './caches.ts'

/** What a server is made from. */
export type Ground = {
  readonly config: Config
  readonly database: Database
  readonly signingKey: SigningKey
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly modules: readonly Module[]
}

/** What every service stands on: the log and who hears of it, the memory budget, users and their sessions. */
export const wireFoundation = (ground: Ground) => {
  const { config, database, clock, random, log, modules } = ground
  const hooks = new Hooks({ modules, clock, log })
  const caches = new Caches(config.server.memoryBudgetBytes)
  const { budget, cache } = caches
  const feed = new Feed(database.start.position)
  const store = new RoomStore({
    db: database,
    caches: {
      events: cache<number, LoadedEvent>((event) => event.bytes),
      stateRows: cache<number, Uint8Array>((row) => row.byteLength),
      keyNumbers: cache<string, number>((_, key) => key.length * 2),
      keyNames: cache<number, StateKeyName>((name) => (name.type.length + name.stateKey.length) * 2),
    },
  })
  const views = new RoomViews({ store, feed, cache: cache<number, RoomView>((view) => view.bytes) })
  const committer = new Committer({
    database,
    operations: OPERATIONS,
    randomBytes: random.bytes,
    onCommitted: (batch) => {
      views.committed(batch)
      feed.apply(batch)
    },
  })
  const { commit } = committer
  const numbers = new Numbers(commit)
  const memberships = new MembershipIndex(database)
  const users = new Users({
    db: database,
    commit,
    numbers,
    serverName: config.server.name,
    byId: cache<string, UserRow>(() => 200),
    byNumber: cache<number, UserRow>(() => 200),
  })
  const sessions = new Sessions({
    db: database,
    commit,
    numbers,
    clock,
    random,
    cache: cache<string, TokenHolder>(() => 500),
    lifetimes: {
      sessionMs: config.sessions.lifetimeMs,
      accessTokenMs: config.sessions.nonRefreshableAccessTokenLifetimeMs,
      refreshableAccessTokenMs: config.sessions.refreshableAccessTokenLifetimeMs,
      refreshTokenMs: config.sessions.refreshTokenLifetimeMs,
    },
  })
  return {
    ...ground,
    serverName: config.server.name as ServerName,
    db: database,
    hooks,
    caches,
    budget,
    cache,
    feed,
    store,
    views,
    committer,
    commit,
    numbers,
    memberships,
    users,
    sessions,
    reservations: new Reservations([]),
  }
}

/** What every service stands on. */
export type Foundation = ReturnType<typeof wireFoundation>
