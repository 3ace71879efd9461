import type { Server } from 'node:http'
import type { Listener } from '#config/sections/listeners.ts'
import { type App, createApp } from '#http/server/app.ts'
import { type ListenerSettings, listen } from '#http/server/listen.ts'
import { admission } from './admission.ts'
import { allRoutes } from './routes.ts'
import { wireAccounts } from './wire-accounts.ts'
import { wireDeviceContents, wireEncryption } from './wire-encryption.ts'
import { type Ground, wireFoundation } from './wire-foundation.ts'
import { wireProfiles } from './wire-profiles.ts'
import { wireRooms } from './wire-rooms.ts'
import { wireSync } from './wire-sync.ts'
import { wireTasks } from './wire-tasks.ts'
import { wireUserData } from './wire-user-data.ts'

/** Everything that runs in a server. */
export type Services = ReturnType<typeof wireFoundation> &
  ReturnType<typeof wireAccounts> &
  Awaited<ReturnType<typeof wireRooms>> &
  ReturnType<typeof wireUserData> &
  ReturnType<typeof wireProfiles> &
  ReturnType<typeof wireEncryption> &
  ReturnType<typeof wireSync> &
  ReturnType<typeof wireTasks>

/** How long open requests may take to end when the server stops. */
const DRAIN_MS = 5_000

/** A running homeserver. Disposing it stops it: no new requests, open ones answered, everything written, the database closed. */
export class Homeserver implements AsyncDisposable {
  readonly services: Services
  /** Where it listens. */
  readonly urls: string[] = []
  readonly #app: App
  readonly #servers: Server[] = []
  #isStopping = false

  private constructor(services: Services) {
    this.services = services
    this.#app = appOf(services, { isStopping: () => this.#isStopping, answered: () => this.#answered() })
  }

  /** Builds the services and listens as the configuration says. */
  static async start(given: Ground): Promise<Homeserver> {
    const foundation = wireFoundation(given)
    const userData = wireUserData(foundation)
    const contents = wireDeviceContents(foundation)
    const ground = {
      ...foundation,
      ...wireAccounts(foundation, contents),
      ...userData,
      ...(await wireRooms(foundation, userData)),
    }
    const encryption = wireEncryption(ground, contents)
    const userSections = [userData.userDataSections.global, ...encryption.encryptionSections]
    const services: Services = {
      ...ground,
      ...wireProfiles(ground, encryption),
      ...encryption,
      ...wireSync(foundation, userData, userSections),
      ...wireTasks(foundation, ground),
    }
    const server = new Homeserver(services)
    for (const listener of given.config.listeners) await server.#listen(listener)
    await services.taskRunner.start(services.tasks)
    return server
  }

  async #listen(listener: Listener): Promise<void> {
    for (const { server, url } of await listen(this.#app, settingsOf(listener))) {
      this.#servers.push(server)
      this.urls.push(url)
    }
  }

  /** While the server stops, a connection ends with its last answer. */
  #answered(): void {
    if (this.#isStopping) setImmediate(() => this.#closeIdle())
  }

  #closeIdle(): void {
    for (const server of this.#servers) server.closeIdleConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    const { typing, waiters, taskRunner, uploads, memberUpdates, sweeper, committer, database } = this.services
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    typing.clear()
    waiters.close()
    this.#closeIdle()
    const late = setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections()
    }, DRAIN_MS)
    await Promise.all([...closed, taskRunner[Symbol.asyncDispose]()])
    clearTimeout(late)
    await this.#app.close()
    await uploads[Symbol.asyncDispose]()
    await memberUpdates.stop()
    await sweeper.settled()
    await committer[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  }
}

type Stopping = { readonly isStopping: () => boolean; readonly answered: () => void }

function appOf(services: Services, { isStopping, answered }: Stopping): App {
  const { clock, log, sessions } = services
  let count = 0
  return createApp({
    routes: allRoutes(services),
    authenticate: async (token, { caller, endpoint }) => {
      const requester = await sessions.authenticate(token, endpoint)
      if (requester !== undefined) sessions.seen(requester, caller)
      return requester
    },
    admit: admission(services, isStopping),
    answered,
    log,
    now: clock.now,
    requestId: () => `${++count}`,
  })
}

function settingsOf(listener: Listener): ListenerSettings {
  const { address } = listener
  return {
    at:
      address.kind === 'tcp'
        ? { port: address.port, addresses: address.hosts }
        : { path: address.path, mode: address.mode },
    resources: listener.kind === 'metrics' ? ['metrics'] : listener.resources,
    xForwarded: listener.trustsForwardedFor,
    tag: listener.tag ?? '',
  }
}
