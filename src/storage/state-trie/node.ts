// Over 150 lines: the format of a row and of its nodes is said, written and read in one place.
import { ROOM_SPAN } from '#storage/room-key.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { CorruptState, type StateAddress } from './corrupt-state.ts'

// A row: one byte, how many nodes it numbers (1 to 16); the lengths of all but the last; the nodes. A length of 0 is a node that was
// collected. A node is one of
//   sparse leaf  0x00 | count; first key; gaps between keys, less 1;        values
//   block leaf   0x40; key / 32; which of the 32 keys are there, 32 bits;   values
//   branch       0x80 | level; prefix * 16 + usual index; count; which children are there, 32 bits; for each child, how many states older
//                its row is * 2, + 1 and a byte with its index in that row where that is not the usual one
// Values are the greatest one, then how far below it each is. Numbers are varints. All nodes name only nodes of lower number.

/** How many bits of a key one level of the trie decides: fan-out 32. The one constant of the shape. */
export const LEVEL_BITS = 5
/** The most children of a branch and the most entries of a leaf: a subtree of at most so many entries is one leaf. */
export const FAN_OUT = 2 ** LEVEL_BITS
/** A row numbers at most so many nodes: node number = state * 16 + index. */
export const NODES_PER_ROW = 16

const TOP_LEVEL = Math.ceil(28 / LEVEL_BITS) - 1
/** From so many keys of one block of 32 on, saying which of the block are there is shorter than saying the gaps. */
const MIN_BLOCK = 5

/** Entries: keys rise; each has its value. */
export type Leaf = { readonly keys: readonly number[]; readonly values: readonly number[] }
/** More than 32 entries whose keys agree above `level` (there they are `prefix`) and differ in their digit at `level`. */
export type Branch = {
  readonly level: number
  readonly prefix: number
  /** Entries below. */
  readonly count: number
  /** Which digits have a child, as bits. */
  readonly digits: number
  /** Numbers of the children's nodes, in the order of their digits. */
  readonly children: readonly number[]
}
/** A node of a state: entries, or where entries part. */
export type Node = Leaf | Branch

/** Whether a node holds entries itself. */
export const isLeaf = <T extends { readonly level: number }>(node: Leaf | T): node is Leaf => 'keys' in node
/** The digit of a key that a branch of that level decides by. */
export const digitOf = (key: number, level: number): number => (key >>> (level * LEVEL_BITS)) & (FAN_OUT - 1)
/** The level at which keys that differ in these bits part. */
export const levelOf = (bits: number): number => Math.floor((31 - Math.clz32(bits)) / LEVEL_BITS)
/** The lowest key that can stand below a branch, or stands in a leaf. */
export const lowestKey = (node: Leaf | Pick<Branch, 'level' | 'prefix'>): number =>
  isLeaf(node) ? (node.keys[0] as number) : node.prefix * (1 << ((node.level + 1) * LEVEL_BITS))
/** The highest key that can stand below a branch, or stands in a leaf. */
export const highestKey = (node: Leaf | Pick<Branch, 'level' | 'prefix'>): number =>
  isLeaf(node)
    ? (node.keys[node.keys.length - 1] as number)
    : (node.prefix + 1) * (1 << ((node.level + 1) * LEVEL_BITS)) - 1

/** The child of that digit; 0 where there is none. */
export const childAt = ({ digits, children }: Branch, digit: number): number => {
  if (((digits >>> digit) & 1) === 0) return 0
  let before = 0
  for (let bits = digits & ((1 << digit) - 1); bits !== 0; bits &= bits - 1) before++
  return children[before] as number
}
/** The children by their digits; 0 where there is none. */
export const slotsOf = ({ digits, children }: Branch): number[] => {
  const slots: number[] = []
  let index = 0
  for (let digit = 0; digit < FAN_OUT; digit++) slots.push((digits >>> digit) & 1 ? (children[index++] as number) : 0)
  return slots
}

/** The state in whose row a node stands. */
export const stateOfNode = (node: number): number => node >>> 4
/** Where in its row a node stands. */
export const indexOfNode = (node: number): number => node & 15

/** Packs the nodes of the state's row; the last is the root of the state. */
export const encodeRow = (state: number, nodes: readonly Node[]): Uint8Array =>
  joinNodes(nodes.length, (writer, index) => {
    const node = nodes[index] as Node
    if (isLeaf(node)) encodeLeaf(writer, node)
    else encodeBranch(writer, state * NODES_PER_ROW + index, node)
  })

/** The row without the nodes whose bits are not set in `live`; the others keep their numbers. */
export const keepNodes = (address: StateAddress, row: Uint8Array, live: number): Uint8Array => {
  const bounds = nodeBounds(address, row)
  return joinNodes(bounds.length - 1, (writer, index) => {
    if ((live >>> index) & 1) writer.append(row.subarray(bounds[index], bounds[index + 1]))
  })
}

/** Which nodes of the row are there, as bits. */
export const presentNodes = (address: StateAddress, row: Uint8Array): number =>
  nodeBounds(address, row).reduce(
    (bits, end, index, all) => (index > 0 && end > (all[index - 1] as number) ? bits | (1 << (index - 1)) : bits),
    0,
  )

/** The index of the row's root. */
export const rootIndex = (address: StateAddress, row: Uint8Array): number => {
  const count = row[0] ?? 0
  if (count < 1 || count > NODES_PER_ROW) throw new CorruptState(address, `it claims ${count} nodes`)
  return count - 1
}

/** Reads the node of that index. Bytes that no writer made are a `CorruptState`. */
export const decodeNode = (address: StateAddress, row: Uint8Array, index: number): Node => {
  const bounds = nodeBounds(address, row)
  const [start, end] = [bounds[index], bounds[index + 1]]
  if (start === undefined || end === undefined) throw new CorruptState(address, `it has no node ${index}`)
  if (start === end) throw new CorruptState(address, `its node ${index} was collected`)
  const reader = new ByteReader(address, row, [start, end])
  const first = reader.byte()
  const node =
    (first & 0x80) === 0 ? decodeLeaf(reader, first) : decodeBranch(reader, first & 0x7f, address.state * 16 + index)
  reader.finish()
  return node
}

/** Where the nodes of a row begin, and the end of the last. */
function nodeBounds(address: StateAddress, row: Uint8Array): number[] {
  const last = rootIndex(address, row)
  const reader = new ByteReader(address, row, [1, row.length])
  const lengths: number[] = []
  for (let index = 0; index < last; index++) lengths.push(reader.varint())
  const bounds = [reader.at]
  for (const length of lengths) bounds.push((bounds.at(-1) ?? 0) + length)
  if ((bounds.at(-1) ?? 0) > row.length) reader.fail('it is cut short')
  bounds.push(row.length)
  return bounds
}

function joinNodes(count: number, write: (writer: ByteWriter, index: number) => void): Uint8Array {
  const [head, nodes] = [new ByteWriter(), new ByteWriter()]
  head.byte(count)
  for (let index = 0; index < count; index++) {
    const start = nodes.length
    write(nodes, index)
    if (index < count - 1) head.varint(nodes.length - start)
  }
  return nodes.after(head)
}

function encodeLeaf(writer: ByteWriter, { keys, values }: Leaf): void {
  const first = keys[0] as number
  if (keys.length >= MIN_BLOCK && first >>> 5 === (keys[keys.length - 1] as number) >>> 5) {
    writer.byte(0x40)
    writer.varint(first >>> 5)
    writer.bits(keys.reduce((bits, key) => bits | (1 << (key & 31)), 0))
  } else {
    writer.byte(keys.length)
    writer.varint(first)
    for (let index = 1; index < keys.length; index++) {
      writer.varint((keys[index] as number) - (keys[index - 1] as number) - 1)
    }
  }
  let greatest = 0
  for (const value of values) if (value > greatest) greatest = value
  writer.varint(greatest)
  for (const value of values) writer.varint(greatest - value)
}

function decodeLeaf(reader: ByteReader, first: number): Leaf {
  const keys = first === 0x40 ? blockKeys(reader) : sparseKeys(reader, first)
  if (keys.length === 0 || (keys[keys.length - 1] as number) >= ROOM_SPAN)
    reader.fail('the keys of a leaf are impossible')
  const greatest = reader.varint()
  if (greatest >= ROOM_SPAN) reader.fail('a value is too large')
  const values: number[] = []
  for (let index = 0; index < keys.length; index++) {
    const value = greatest - reader.varint()
    if (value < 1) reader.fail('a value is below 1')
    values.push(value)
  }
  return { keys, values }
}

function blockKeys(reader: ByteReader): number[] {
  const base = reader.varint() * 32
  const bits = reader.bits()
  const keys: number[] = []
  for (let key = 0; key < 32; key++) if ((bits >>> key) & 1) keys.push(base + key)
  return keys
}

function sparseKeys(reader: ByteReader, count: number): number[] {
  if (count > FAN_OUT) reader.fail(`a leaf claims ${count} entries`)
  const keys: number[] = []
  for (let index = 0, key = -1; index < count; index++) {
    key += reader.varint() + 1
    keys.push(key)
  }
  return keys
}

function encodeBranch(writer: ByteWriter, number: number, { level, prefix, count, digits, children }: Branch): void {
  const usual = usualIndex(children)
  writer.byte(0x80 | level)
  writer.varint(prefix * NODES_PER_ROW + usual)
  writer.varint(count)
  writer.bits(digits)
  for (const child of children) {
    if (child >= number) throw new Error(`node ${number} of a state cannot name the younger node ${child}`)
    const age = stateOfNode(number) - stateOfNode(child)
    const index = indexOfNode(child)
    writer.varint(age * 2 + (index === usual ? 0 : 1))
    if (index !== usual) writer.byte(index)
  }
}

function usualIndex(children: readonly number[]): number {
  const counts = new Uint8Array(NODES_PER_ROW)
  let usual = 0
  for (const child of children) {
    const index = indexOfNode(child)
    const count = (counts[index] as number) + 1
    counts[index] = count
    if (count > (counts[usual] as number)) usual = index
  }
  return usual
}

function decodeBranch(reader: ByteReader, level: number, number: number): Branch {
  if (level < 1 || level > TOP_LEVEL) reader.fail(`a branch claims level ${level}`)
  const place = reader.varint()
  const [prefix, usual] = [stateOfNode(place), indexOfNode(place)]
  if (lowestKey({ level, prefix }) >= ROOM_SPAN) reader.fail('the keys of a branch are impossible')
  const count = reader.varint()
  const digits = reader.bits()
  const children: number[] = []
  for (let digit = 0; digit < FAN_OUT; digit++) {
    if (((digits >>> digit) & 1) === 0) continue
    const reference = reader.varint()
    const index = reference % 2 === 0 ? usual : reader.byte()
    const child = (stateOfNode(number) - Math.floor(reference / 2)) * NODES_PER_ROW + index
    if (index >= NODES_PER_ROW || child < NODES_PER_ROW || child >= number)
      reader.fail('a branch names a node that cannot be')
    children.push(child)
  }
  if (children.length < 2 || count <= FAN_OUT) reader.fail('a branch has too few entries')
  return { level, prefix, count, digits, children }
}
