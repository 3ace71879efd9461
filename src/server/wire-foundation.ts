import type { Config } from '#config/config.ts'
import { Hooks, type Module } from '#modules/registry.ts'
import type { ServerName } from '#protocol/identifiers.ts'
import type { SigningKey } from '#protocol/signing/signing-key.ts'
import { Users } from '#services/accounts/users.ts'
import { type Reservation, Reservations } from '#services/reservations.ts'
import { type KnownHolder, Sessions } from '#services/sessions/sessions.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { Numbers } from '#storage/stores/numbers.ts'
import type { UserRow } from '#storage/stores/users.ts'
import { Scheduler } from '#tasks/scheduler.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import type { Random } from '#util/random.ts'
import { wireMemory } from './wire-memory.ts'

/** What a server is made from. */
export type Ground = {
  readonly config: Config
  readonly database: Database
  readonly signingKey: SigningKey
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly modules: readonly Module[]
  /** Names that belong to somebody already. */
  readonly reservations?: readonly Reservation[]
}

/** What every service stands on: the log and who hears of it, the memory budget, users and their sessions. */
export const wireFoundation = (ground: Ground) => {
  const { config, database, clock, random, log, modules } = ground
  const hooks = new Hooks({ modules, clock, log })
  const memory = wireMemory(database, config.server.memoryBudgetBytes)
  const { cache, feed, views } = memory
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
  const scheduler = new Scheduler({ numbers, clock })
  const users = new Users({
    db: database,
    commit,
    numbers,
    serverName: config.server.name,
    byId: cache<string, UserRow>(() => 200, 'users'),
    byNumber: cache<number, UserRow>(() => 200, 'users'),
  })
  const sessions = new Sessions({
    db: database,
    commit,
    numbers,
    clock,
    random,
    cache: cache<string, KnownHolder>(() => 900, 'access_tokens'),
    lifetimes: {
      sessionMs: config.sessions.lifetimeMs,
      accessTokenMs: config.sessions.nonRefreshableAccessTokenLifetimeMs,
      refreshableAccessTokenMs: config.sessions.refreshableAccessTokenLifetimeMs,
      refreshTokenMs: config.sessions.refreshTokenLifetimeMs,
    },
  })
  return {
    ...ground,
    ...memory,
    serverName: config.server.name as ServerName,
    db: database,
    hooks,
    committer,
    commit,
    numbers,
    scheduler,
    users,
    sessions,
    reservations: new Reservations(ground.reservations ?? []),
  }
}

/** What every service stands on. */
export type Foundation = ReturnType<typeof wireFoundation>
