import type { Server } from 'node:http'
import type { Requester } from '#api/requester.ts'
import type { Listener } from '#config/sections/listeners.ts'
import type { Answered } from '#http/server/answered.ts'
import { type App, createApp } from '#http/server/app.ts'
import { givenRequestId, type ListenerSettings, listen } from '#http/server/listen.ts'
import type { Route } from '#http/server/route.ts'
import { metricsRoutes } from '#routes/metrics.ts'
import { RequestCounts } from '#server/metrics/request-counts.ts'
import { admission } from './admission.ts'
import { CountedDatabase } from './counted-database.ts'
import { allRoutes } from './routes.ts'
import { wireAccounts } from './wire-accounts.ts'
import { wireDeviceContents, wireEncryption } from './wire-encryption.ts'
import { type Ground, wireFoundation } from './wire-foundation.ts'
import { wireMetrics } from './wire-metrics.ts'
import { wireProfiles } from './wire-profiles.ts'
import { wireRooms } from './wire-rooms.ts'
import { wireSync } from './wire-sync.ts'
import { wireTasks } from './wire-tasks.ts'
import { wireUserData } from './wire-user-data.ts'

/** What a server is made from, and who hears of what it does. */
export type Given = Ground & {
  /** Called for each request that is over: for the log. */
  readonly answered?: Answered
}

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

  private constructor({ services, routes, began, answered }: Parts) {
    this.services = services
    this.#app = appOf(services, {
      routes,
      began,
      isStopping: () => this.#isStopping,
      answered: (request) => {
        answered(request)
        this.#answered()
      },
    })
  }

  /** Builds the services and listens as the configuration says. Where that fails, the database is closed again. */
  static async start(given: Given): Promise<Homeserver> {
    const built = await Homeserver.#build(given).catch(async (error: unknown) => {
      await given.database[Symbol.asyncDispose]()
      throw error
    })
    try {
      for (const listener of given.config.listeners) await built.#listen(listener)
      await built.services.taskRunner.start(built.services.tasks)
      return built
    } catch (error) {
      await built[Symbol.asyncDispose]()
      throw error
    }
  }

  static async #build(given: Given): Promise<Homeserver> {
    const database = new CountedDatabase(given.database)
    const foundation = wireFoundation({ ...given, database })
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
    const requests = new RequestCounts()
    const metrics = await wireMetrics(services, { database, requests })
    return new Homeserver({
      services,
      routes: [...allRoutes(services), ...(metrics === undefined ? [] : metricsRoutes(metrics))],
      began: (endpointId) => requests.began(endpointId),
      answered: (request) => {
        requests.answered(request)
        given.answered?.(request)
      },
    })
  }

  async #listen(listener: Listener): Promise<void> {
    const { config, log, clock } = this.services
    if (listener.kind === 'metrics' && !config.server.isMetricsEnabled) {
      log.warn('metrics_not_enabled', { listener: tagOf(listener), hint: 'enable_metrics is false' })
      return
    }
    const leftOut = (reason: Error) => log.warn('address_left_out', { reason: reason.message })
    for (const { server, url } of await listen(this.#app, settingsOf(listener), { clock, leftOut })) {
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

type Parts = {
  readonly services: Services
  readonly routes: readonly Route[]
  readonly began: (endpointId: string) => void
  readonly answered: Answered
}
type AppParts = Omit<Parts, 'services'> & { readonly isStopping: () => boolean }

function appOf(services: Services, { routes, began, answered, isStopping }: AppParts): App {
  const { log, sessions, clock } = services
  let count = 0
  return createApp({
    routes,
    authenticate: (token, { caller, endpoint }) => {
      const note = (requester: Requester | undefined) => {
        if (requester !== undefined) sessions.seen(requester, caller)
        return requester
      }
      const found = sessions.authenticate(token, endpoint)
      return found instanceof Promise ? found.then(note) : note(found)
    },
    admit: admission(services, isStopping),
    began,
    answered,
    log,
    clock,
    requestId: (request) => givenRequestId(request) ?? `${request.method}-${++count}`,
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
    requestIdHeader: listener.requestIdHeader,
    tag: tagOf(listener),
  }
}

const tagOf = ({ tag, address }: Listener): string =>
  tag ?? (address.kind === 'tcp' ? String(address.port) : address.path)
