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
  const numbers = `${incarnation.toString(36)}_${position.toString(36)}_${toDevice.toString(36)}`
  const stamped = stamp === undefined ? '' : `${stamp.boot}-${stamp.count.toString(36)}`
  const placed =
    place === undefined ? '' : `_${place.isForward ? 'f' : 'b'}${place.depth.toString(36)}-${place.pos.toString(36)}`
  return `${PREFIX}_${numbers}_${stamped}${placed}`
}

const N = '[0-9a-z]{1,11}'
const TOKEN = new RegExp(
  `^${PREFIX}_(${N})_(${N})_(${N})_(?:([0-9a-z]{1,16})-(${N}))?(?:_([fb])([0-9a-z]{1,13})-(${N}))?$`,
)

/** Reads a token, or says `undefined` of anything that is none of ours. */
export const readToken = (text: string): Token | undefined => {
  const found = TOKEN.exec(text)
  if (found === null) return undefined
  const [, incarnation, position, toDevice, boot, count, direction, depth, pos] = found
  return {
    incarnation: read(incarnation),
    position: read(position),
    toDevice: read(toDevice),
    stamp: boot === undefined ? undefined : { boot, count: read(count) },
    place: direction === undefined ? undefined : { isForward: direction === 'f', depth: read(depth), pos: read(pos) },
  }
}

const read = (text = '0'): number => Number.parseInt(text, 36)
