import type { Server } from 'node:http'
import type { Listener } from '#config/sections/listeners.ts'
import { type App, createApp } from '#http/server/app.ts'
import { type ListenerSettings, listen } from '#http/server/listen.ts'
import { admission } from './admission.ts'
import { allRoutes } from './routes.ts'
import { wireAccounts } from './wire-accounts.ts'
import { type Ground, wireFoundation } from './wire-foundation.ts'
import { wireRooms } from './wire-rooms.ts'
import { wireSync } from './wire-sync.ts'
import { wireTasks } from './wire-tasks.ts'

/** Everything that runs in a server. */
export type Services = ReturnType<typeof wireFoundation> &
  ReturnType<typeof wireAccounts> &
  Awaited<ReturnType<typeof wireRooms>> &
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

  private constructor(services: Services, app: (isStopping: () => boolean) => App) {
    this.services = services
    this.#app = app(() => this.#isStopping)
  }

  /** Builds the services and listens as the configuration says. */
  static async start(ground: Ground): Promise<Homeserver> {
    const foundation = wireFoundation(ground)
    const rooms = await wireRooms(foundation)
    const services: Services = {
      ...foundation,
      ...wireAccounts(foundation),
      ...rooms,
      ...wireSync(foundation),
      ...wireTasks(foundation, rooms),
    }
    const server = new Homeserver(services, (isStopping) => appOf(services, isStopping))
    for (const listener of ground.config.listeners) await server.#listen(listener)
    await services.taskRunner.start(services.tasks)
    return server
  }

  async #listen(listener: Listener): Promise<void> {
    for (const { server, url } of await listen(this.#app, settingsOf(listener))) {
      this.#servers.push(server)
      this.urls.push(url)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    const { waiters, taskRunner, committer, database } = this.services
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    waiters.close()
    for (const server of this.#servers) server.closeIdleConnections()
    const late = setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections()
    }, DRAIN_MS)
    await Promise.all([...closed, taskRunner[Symbol.asyncDispose]()])
    clearTimeout(late)
    await this.#app.close()
    await committer[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  }
}

function appOf(services: Services, isStopping: () => boolean): App {
  const { clock, log, sessions } = services
  let count = 0
  return createApp({
    routes: allRoutes(services),
    authenticate: async (token, { caller, isOptional }) => {
      const requester = await sessions.authenticate(token, { isOptional })
      if (requester !== undefined) sessions.seen(requester, caller)
      return requester
    },
    admit: admission(services, isStopping),
    answered: () => {},
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
