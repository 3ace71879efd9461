import { DatabaseUnavailable, type Reader } from '#storage/database.ts'
import type { RowCodec } from '#storage/row.ts'
import { type Query, QueryTexts } from '#storage/sql.ts'
import { type Connection, unavailable } from './connection.ts'
import { Asked, Lane } from './lane.ts'
import type { Link } from './link.ts'

/** A lane that has brought no answer for so long is passed by, if there may be another. */
const STALL_MS = 50
/** After a spare connection could not be had, none is tried for so long. */
const SPARE_PAUSE_MS = 1_000

/**
 * Short reads on few pipelined connections, with named statements. One connection does nearly all; others are made while it is held up, as
 * many as `cp_max` allows, and closed when they are idle, down to `cp_min`. A read whose connection is lost is asked again once.
 */
export class PostgresReader implements Reader, AsyncDisposable {
  readonly #link: Link
  readonly #texts = new QueryTexts('postgres')
  readonly #names = new Map<string, string>()
  #lanes: Lane[] = []
  #opening: Promise<Lane> | undefined
  #noSpareUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(link: Link) {
    this.#link = link
  }

  async all<Out>(codec: RowCodec<Out>, query: Query): Promise<Out[]> {
    const rows = await this.#query(query)
    return rows.map((values) => codec.decode(values))
  }

  async get<Out>(codec: RowCodec<Out>, query: Query): Promise<Out | undefined> {
    const [values] = await this.#query(query)
    return values === undefined ? undefined : codec.decode(values)
  }

  #query(query: Query): Promise<unknown[][]> {
    const text = this.#texts.textOf(query)
    let name = this.#names.get(text)
    if (name === undefined) {
      name = `q${this.#names.size}`
      this.#names.set(text, name)
    }
    const config = { name, text, values: this.#texts.valuesOf(query), rowMode: 'array' as const }
    return new Promise((resolve, reject) => this.#ask(new Asked(config, { resolve, reject })))
  }

  #ask(asked: Asked): void {
    const lane = this.#freeLane()
    if (lane !== undefined) this.#askOn(lane, asked)
    else
      this.#open().then(
        (opened) => this.#askOn(opened, asked),
        (error) => this.#askWhereItWaits(asked, error),
      )
  }

  /** No further connection can be had: what is held up is waited for, if there is anything. */
  #askWhereItWaits(asked: Asked, error: unknown): void {
    const lane = this.#shortest()
    if (lane === undefined) asked.reject(unavailable(error))
    else this.#askOn(lane, asked)
  }

  #askOn(lane: Lane, asked: Asked): void {
    lane.ask(asked)
    if (lane.count === this.#link.maxTransactions) this.#retire(lane)
  }

  /** The connection was lost: what was asked is asked on another one, once. */
  #askAgain(asked: Asked, error: unknown): void {
    if (asked.tries > 1 || this.#isClosed) asked.reject(unavailable(error))
    else this.#ask(asked)
  }

  /** A lane to ask on at once; `undefined` where all are held up and there may be one more. */
  #freeLane(): Lane | undefined {
    const [first] = this.#lanes
    if (first === undefined || !first.isHeldUp(STALL_MS)) return first
    const free = this.#lanes.find((lane) => !lane.isHeldUp(STALL_MS))
    if (free !== undefined) return free
    const mayOpen = this.#lanes.length < this.#link.maxReaders && this.#link.clock.now() >= this.#noSpareUntil
    return mayOpen ? undefined : this.#shortest()
  }

  /** The lane with the fewest waiting; `undefined` where there is none. */
  #shortest(): Lane | undefined {
    return this.#lanes.reduce<Lane | undefined>(
      (least, lane) => (least === undefined || lane.waiting < least.waiting ? lane : least),
      undefined,
    )
  }

  #open(): Promise<Lane> {
    if (this.#isClosed) return Promise.reject(new DatabaseUnavailable('the server is stopping'))
    this.#opening ??= this.#openLane().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openLane(): Promise<Lane> {
    const connection = await this.#connected()
    const lane: Lane = new Lane({
      connection,
      now: this.#link.clock.now,
      onLost: (asked, error) => {
        this.#remove(lane)
        this.#askAgain(asked, error)
      },
    })
    connection.socket.once('close', () => this.#remove(lane))
    this.#lanes.push(lane)
    this.#link.heartbeat.watch({
      connection,
      awaited: () => lane.waiting,
      onIdle: () => this.#retireSpare(lane),
      onSilent: (verdict) => void this.#passBy(lane, verdict),
    })
    return lane
  }

  async #connected(): Promise<Connection> {
    const isSpare = this.#lanes.length > 0
    try {
      return await this.#link.connect({ name: 'reader', isPipelined: true }, { isSpare })
    } catch (error) {
      if (isSpare) this.#noSpareUntil = this.#link.clock.now() + SPARE_PAUSE_MS
      throw error
    }
  }

  #remove(lane: Lane): void {
    this.#lanes = this.#lanes.filter((one) => one !== lane)
  }

  #retireSpare(lane: Lane): boolean {
    if (this.#lanes.length <= this.#link.minReaders) return false
    this.#retire(lane)
    return true
  }

  #retire(lane: Lane): void {
    this.#remove(lane)
    void this.#link.end(lane.connection)
  }

  /**
   * One of its queries takes very long, or its process is frozen: all are asked elsewhere too, and the first answer counts. Where no other
   * connection can be had, the answers are waited for.
   */
  async #passBy(lane: Lane, verdict: 'dead' | 'busy'): Promise<void> {
    if (verdict === 'busy' && !(await this.#canAskBeside(lane))) return
    this.#remove(lane)
    if (verdict === 'dead') return
    for (const asked of lane.unanswered) if (asked.tries === 1 && !asked.isAnswered) this.#ask(asked)
    void this.#link.end(lane.connection)
  }

  async #canAskBeside(lane: Lane): Promise<boolean> {
    if (this.#lanes.some((one) => one !== lane && !one.isHeldUp(STALL_MS))) return true
    return this.#open().then(
      () => true,
      () => false,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    // A connection that never came about needs no end.
    await this.#opening?.catch(() => undefined)
    await Promise.all(this.#lanes.map((lane) => this.#link.end(lane.connection)))
  }
}
