/** A place in a room's graph: between this event and the next one in the order of depth, then arrival. */
export type Place = {
  readonly depth: number
  readonly pos: number
  /** Made while going forward from a position: only what arrived after it is meant. */
  readonly isForward: boolean
}

/**
 * Where a client stands. Opaque outside; every token of ours is accepted wherever the specification accepts one.
 *
 * `position`: the log up to which everything was seen. `toDevice`: the last message to the device that was given with it. `stamp`: of what
 * is not kept (typing): the process's boot and a count. `place`: where in the graph paging goes on.
 */
export type Token = {
  readonly incarnation: number
  readonly position: number
  readonly toDevice: number
  readonly stamp: { readonly boot: string; readonly count: number } | undefined
  readonly place: Place | undefined
}

/** No other server begins its tokens like this; the digit is the version of what follows. */
const PREFIX = 'y1'

/** Prints a token: URL-safe, under 100 characters. */
export const printToken = ({ incarnation, position, toDevice, stamp, place }: Token): string => {
  const numbers = [incarnation, position, toDevice].map((number) => number.toString(36))
  const stamped = stamp === undefined ? '' : `${stamp.boot}-${stamp.count.toString(36)}`
  const placed =
    place === undefined ? [] : [`${place.isForward ? 'f' : 'b'}${place.depth.toString(36)}-${place.pos.toString(36)}`]
  return [PREFIX, ...numbers, stamped, ...placed].join('_')
}

const NUMBER = /^[0-9a-z]{1,11}$/
const STAMP = /^([0-9a-z]{1,16})-([0-9a-z]{1,11})$/
const PLACE = /^([fb])([0-9a-z]{1,13})-([0-9a-z]{1,11})$/

/** Reads a token, or says `undefined` of anything that is none of ours. */
export const readToken = (text: string): Token | undefined => {
  const [prefix, incarnation, position, toDevice, stamp, place, ...rest] = text.split('_')
  if (prefix !== PREFIX || rest.length > 0 || stamp === undefined) return undefined
  const numbers = [incarnation, position, toDevice].map(readNumber)
  if (numbers.some((number) => number === undefined)) return undefined
  const [readIncarnation = 0, readPosition = 0, readToDevice = 0] = numbers
  const stamped = STAMP.exec(stamp)
  const placed = place === undefined ? null : PLACE.exec(place)
  if ((stamp !== '' && stamped === null) || (place !== undefined && placed === null)) return undefined
  return {
    incarnation: readIncarnation,
    position: readPosition,
    toDevice: readToDevice,
    stamp: stamped === null ? undefined : { boot: stamped[1] ?? '', count: Number.parseInt(stamped[2] ?? '0', 36) },
    place:
      placed === null
        ? undefined
        : {
            isForward: placed[1] === 'f',
            depth: Number.parseInt(placed[2] ?? '0', 36),
            pos: Number.parseInt(placed[3] ?? '0', 36),
          },
  }
}

const readNumber = (text: string | undefined): number | undefined =>
  text !== undefined && NUMBER.test(text) ? Number.parseInt(text, 36) : undefined
