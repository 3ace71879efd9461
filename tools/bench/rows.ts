import type { BenchUser, Target } from './target.ts'

/** One measured figure. */
export type Figure = { readonly name: string; readonly value: number; readonly unit: string }

/** Tells how far a measurement is. */
export type Progress = (text: string) => void

/** Before a rate is counted, so that the code in use is compiled. */
const WARM_UP_MS = 3_000

const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? Number.NaN

const pairs = async (
  target: Target,
  rooms: number,
  each: number,
): Promise<{ roomId: string; users: BenchUser[] }[]> => {
  const made: { roomId: string; users: BenchUser[] }[] = []
  for (let n = 0; n < rooms; n++) {
    const users: BenchUser[] = []
    for (let m = 0; m < each; m++) users.push(await target.user(`u${n}x${m}`))
    const [first, ...others] = users as [BenchUser, ...BenchUser[]]
    const roomId = await first.room()
    for (const other of others) await other.join(roomId)
    made.push({ roomId, users })
  }
  return made
}

const closeAll = (groups: readonly { readonly users: readonly BenchUser[] }[]): void => {
  for (const { users } of groups) for (const user of users) user.close()
}

/** From sending to the bytes of the sync that shows it, 10 waiting clients in each room, `perSecond` sends over all rooms. */
export const sendToSync = async (
  target: Target,
  options: { readonly waiting: number; readonly perSecond: number; readonly seconds: number },
): Promise<Figure[]> => {
  const groups = await pairs(target, options.waiting / 10, 11)
  const sentAt = new Map<string, number>()
  const latencies: number[] = []
  let isOver = false
  const watch = async (user: BenchUser) => {
    await user.sync(0)
    while (!isOver) {
      const body = await user.sync(2_000).catch(() => '')
      const now = performance.now()
      for (const [, eventId] of body.matchAll(/"event_id":"([^"]+)"/g)) {
        const at = sentAt.get(eventId ?? '')
        if (at !== undefined) latencies.push(now - at)
        else early.set(eventId ?? '', [...(early.get(eventId ?? '') ?? []), now])
      }
    }
  }
  // A sync may show an event before its sender has the answer that names it.
  const early = new Map<string, number[]>()
  const watching = groups.flatMap(({ users }) => users.slice(1).map(watch))
  await new Promise((resolve) => setTimeout(resolve, 500))
  const until = performance.now() + options.seconds * 1000
  const pauseMs = 1000 / options.perSecond
  let next = performance.now()
  const sends: Promise<void>[] = []
  const idle = groups.map(({ users }) => [users[0] as BenchUser])
  for (let n = 0; performance.now() < until; n++) {
    const group = groups[n % groups.length]
    const free = idle[n % groups.length]?.pop()
    if (group !== undefined && free !== undefined) {
      const at = performance.now()
      sends.push(
        free.send(group.roomId).then((eventId) => {
          sentAt.set(eventId, at)
          for (const seen of early.get(eventId) ?? []) latencies.push(seen - at)
          idle[n % groups.length]?.push(free)
        }),
      )
    }
    next += pauseMs
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
  }
  await Promise.all(sends)
  await new Promise((resolve) => setTimeout(resolve, 300))
  isOver = true
  closeAll(groups)
  await Promise.allSettled(watching)
  const sorted = latencies.sort((a, b) => a - b)
  return [
    { name: 'send to sync, p50', value: percentile(sorted, 50), unit: 'ms' },
    { name: 'send to sync, p99', value: percentile(sorted, 99), unit: 'ms' },
  ]
}

/** Sends a second that `senders` clients reach together, each in a room of its own. */
export const sends = async (
  target: Target,
  options: { readonly senders: number; readonly seconds: number },
): Promise<Figure[]> => {
  const groups = await pairs(target, options.senders, 1)
  const from = performance.now() + WARM_UP_MS
  const until = from + options.seconds * 1000
  let count = 0
  await Promise.all(
    groups.map(async ({ roomId, users: [user] }) => {
      for (let now = 0; now < until; now = performance.now()) {
        await user?.send(roomId)
        if (now >= from) count++
      }
    }),
  )
  closeAll(groups)
  return [{ name: 'local sends', value: count / options.seconds, unit: '/s' }]
}

/** Sends a second with `each` clients in each room that sync on and on. */
export const sendsWithSyncs = async (
  target: Target,
  options: { readonly rooms: number; readonly each: number; readonly seconds: number },
): Promise<Figure[]> => {
  const groups = await pairs(target, options.rooms, options.each + 1)
  let isOver = false
  let syncs = 0
  const watching = groups.flatMap(({ users }) =>
    users.slice(1).map(async (user) => {
      await user.sync(0)
      while (!isOver) {
        await user.sync(5_000).catch(() => '')
        syncs++
      }
    }),
  )
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const from = performance.now() + WARM_UP_MS
  const until = from + options.seconds * 1000
  let count = 0
  await Promise.all(
    groups.map(async ({ roomId, users: [user] }) => {
      for (let now = 0; now < until; now = performance.now()) {
        await user?.send(roomId)
        if (now < from) syncs = 0
        else count++
      }
    }),
  )
  isOver = true
  closeAll(groups)
  await Promise.allSettled(watching)
  return [
    { name: 'local sends with 10 syncs each', value: count / options.seconds, unit: '/s' },
    { name: 'syncs meanwhile', value: syncs / options.seconds, unit: '/s' },
  ]
}

/** What an incremental sync costs that tells of one room, for a user of many rooms against one of few. */
export const incremental = async (
  target: Target,
  options: { readonly many: number; readonly few: number; readonly times: number },
  progress: Progress,
): Promise<Figure[]> => {
  const measure = async (rooms: number): Promise<number> => {
    const [writer, reader] = [await target.user('w'), await target.user('r')]
    let roomId = ''
    for (let n = 0; n < rooms; n++) {
      roomId = await writer.room()
      await reader.join(roomId)
      if (n % 50 === 0) progress(`${n} of ${rooms} rooms`)
    }
    await reader.sync(0)
    const times: number[] = []
    for (let n = 0; n < options.times; n++) {
      await writer.send(roomId)
      const at = performance.now()
      await reader.sync(0)
      times.push(performance.now() - at)
    }
    writer.close()
    reader.close()
    return percentile(
      times.sort((a, b) => a - b),
      50,
    )
  }
  const few = await measure(options.few)
  const many = await measure(options.many)
  return [
    { name: `incremental sync, 1 of ${options.few} rooms`, value: few, unit: 'ms' },
    { name: `incremental sync, 1 of ${options.many} rooms`, value: many, unit: 'ms' },
    { name: 'many rooms against few', value: many / few, unit: 'times' },
  ]
}

/** A first sync of a user of many rooms, each with 7 messages: some 4 MB. */
export const initial = async (
  target: Target,
  options: { readonly rooms: number; readonly times: number },
  progress: Progress,
): Promise<Figure[]> => {
  const user = await target.user('i')
  for (let n = 0; n < options.rooms; n++) {
    const roomId = await user.room({ name: `Room ${n}`, topic: 'A topic of some length. '.repeat(5) })
    for (let m = 0; m < 7; m++) await user.send(roomId)
    if (n % 50 === 0) progress(`${n} of ${options.rooms} rooms`)
  }
  const times: number[] = []
  let bytes = 0
  for (let n = 0; n < options.times; n++) {
    user.since = undefined
    const at = performance.now()
    bytes = (await user.sync(0)).length
    times.push(performance.now() - at)
  }
  user.close()
  return [
    {
      name: `first sync of ${options.rooms} rooms`,
      value: percentile(
        times.sort((a, b) => a - b),
        50,
      ),
      unit: 'ms',
    },
    { name: 'its size', value: bytes / 1e6, unit: 'MB' },
  ]
}

/** Opens long-polls and leaves them waiting; the caller looks at the server's memory meanwhile. */
export const longPolls = async (
  target: Target,
  options: { readonly count: number },
  whileWaiting: () => Promise<Figure[]>,
): Promise<Figure[]> => {
  const users: BenchUser[] = []
  const owner = await target.user('o')
  const token = owner.token
  await owner.sync(0)
  const connections = Array.from({ length: options.count }, () => target.connection())
  const path = `/_matrix/client/v3/sync?timeout=60000&since=${encodeURIComponent(owner.since ?? '')}`
  for (let at = 0; at < connections.length; at += 200) {
    for (const connection of connections.slice(at, at + 200)) connection.request('GET', path, { token }).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  // Idle is when the burst of connections is over, and what it took has been given back.
  await new Promise((resolve) => setTimeout(resolve, 8_000))
  const figures = await whileWaiting()
  for (const connection of connections) connection.close()
  owner.close()
  closeAll([{ users }])
  return figures
}
