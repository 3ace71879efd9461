import * as fc from 'fast-check'

// What no well-behaved client sends.

/** JSON as it is written: what JavaScript's values cannot be, such as `1e400`. */
export class Written {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** An object by its entries, so that a key can come twice, and be `__proto__`. */
export class Entries {
  readonly list: readonly (readonly [string, Tree])[]
  constructor(list: readonly (readonly [string, Tree])[]) {
    this.list = list
  }
}

/** A JSON value that a test builds, before it is printed. */
export type Tree = null | boolean | number | string | Written | Entries | readonly Tree[]

/** Prints it as JSON. */
export const printTree = (tree: Tree): string => {
  if (tree instanceof Written) return tree.text
  if (tree instanceof Entries) {
    return `{${tree.list.map(([key, value]) => `${JSON.stringify(key)}:${printTree(value)}`).join(',')}}`
  }
  if (Array.isArray(tree)) return `[${tree.map(printTree).join(',')}]`
  return JSON.stringify(tree)
}

/** A value as a tree. */
export const treeOf = (value: unknown): Tree => {
  if (Array.isArray(value)) return value.map(treeOf)
  if (typeof value === 'object' && value !== null) {
    return new Entries(Object.entries(value).map(([key, item]) => [key, treeOf(item)]))
  }
  return value as Tree
}

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\ud800\ud800\udc00',
  '\ufffe0000',
  '\ufeff',
  '\u202e',
  '__proto__',
  'constructor',
  'toString',
  '../../../etc/passwd',
  "'; DROP TABLE events; --",
  '%00%ff%zz',
  '$1',
  '\\u0000',
  '\r\nSet-Cookie: a=b',
  '💥'.repeat(64),
  '💥'.repeat(63),
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(5_000),
  'x'.repeat(70_000),
  '@',
  '@:',
  '@a',
  '@a:',
  '@\0:process.example',
  '@a:[::1',
  '!',
  '!:process.example',
  '$',
  '$\ud800',
  '#:process.example',
  'mxc://',
  'mxc://process.example/',
  'm.',
  's1_2_3',
  't99999999999999999999',
  '-1',
  '9007199254740993',
  '1e309',
  '0x10',
  'NaN',
  'null',
  'true',
  '{}',
  '[]',
  '*',
  '**************************a',
]

/** Text that is trouble somewhere. */
export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)

/** Keys that objects have by themselves, or that have no UTF-8. */
export const nastyKey: fc.Arbitrary<string> = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'toJSON',
  'then',
  '',
  '\0',
  '\ud800',
  '\ufffe0000',
  '0',
  'x'.repeat(300),
)

const NUMBERS = [
  '9007199254740993',
  '-9007199254740993',
  '9007199254740991',
  '9223372036854775808',
  '1e400',
  '-1e400',
  '1e-400',
  '1E21',
  '-0',
  '0.1',
  '1.0',
  '-1',
  '4294967296',
  `1${'0'.repeat(400)}`,
]

const nested = (levels: number, open: string, close: string): Written =>
  new Written(`${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}`)

const leaf: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 4, arbitrary: nastyText },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS).map((text) => new Written(text)) },
  { weight: 3, arbitrary: fc.constantFrom<Tree>(null, true, false, 0, 1, -1, 2 ** 53) },
  { weight: 2, arbitrary: fc.constantFrom<Tree>([], new Entries([]), [null], [[]], new Entries([['', null]])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Tree>(
      nested(90, '[', ']'),
      nested(150, '{"a":', '}'),
      nested(300, '[', ']'),
      nested(20_000, '{"a":', '}'),
    ),
  },
)

/** Any JSON value, mostly one that is trouble. */
export const nastyValue: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 4 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(nastyKey, leaf), { maxLength: 4 }).map((list) => new Entries(list)),
  },
)

type Mutation = {
  readonly at: number
  readonly kind: 'replace' | 'remove' | 'add' | 'twice'
  readonly value: Tree
  readonly key: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(400),
  kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'twice'),
  value: nastyValue,
  key: nastyKey,
})

/** A tree of which up to three places were spoilt. */
export const spoilt = (plausible: fc.Arbitrary<Tree>): fc.Arbitrary<Tree> =>
  fc
    .tuple(plausible, fc.array(mutation, { maxLength: 3 }))
    .map(([tree, mutations]) => mutations.reduce((spoiling, how) => spoil(spoiling, how), tree))

function spoil(tree: Tree, how: Mutation): Tree {
  let left = how.at % sizeOf(tree)
  const walk = (node: Tree): Tree => {
    if (left-- === 0) return how.kind === 'replace' || !(node instanceof Entries) ? how.value : spoilObject(node, how)
    if (node instanceof Entries) return new Entries(node.list.map(([key, value]) => [key, walk(value)]))
    if (Array.isArray(node)) return node.map(walk)
    return node
  }
  return walk(tree)
}

function spoilObject({ list }: Entries, { kind, key, value, at }: Mutation): Tree {
  const index = list.length === 0 ? 0 : at % list.length
  if (kind === 'remove') return new Entries(list.filter((_, place) => place !== index))
  if (kind === 'twice') return new Entries([...list, [list[index]?.[0] ?? key, value]])
  return new Entries([...list, [key, value]])
}

function sizeOf(tree: Tree): number {
  const parts = tree instanceof Entries ? tree.list.map(([, value]) => value) : Array.isArray(tree) ? tree : []
  return 1 + parts.reduce<number>((sum, part) => sum + sizeOf(part), 0)
}

/** Bodies that are no JSON, or hardly. */
export const nastyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        '',
        ' ',
        '{',
        '{"a":1',
        '{"a":1}}',
        '"',
        '"\0"',
        '{"a\0":1}',
        'null',
        'true',
        '0',
        '01',
        'NaN',
        '[1,]',
        "{'a':1}",
        '\ufeff{}',
        '{"a":"\\ud800"}',
        '{"a":"\\u0000"}',
        '{"a":"\\x"}',
        `{"a":"${'x'.repeat(1_900_000)}"}`,
        `{"a":"${'\\"'.repeat(200_000)}`,
        `{"a":[${'[],'.repeat(100_000)}[]]}`,
        '['.repeat(100_000),
        '{"a":'.repeat(100_000),
        `${'{"a":'.repeat(199)}{}${'}'.repeat(199)}`,
        `[${'1e999,'.repeat(1_000)}0]`,
        `{${'"a":1,'.repeat(5_000)}"a":2}`,
        'a=b&c=d',
        '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--',
      )
      .map((text) => Buffer.from(text)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<readonly number[]>(
        [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00],
        [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d],
        [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d],
        [0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d],
        [0x7b, 0x22, 0xf4, 0x90, 0x80, 0x80, 0x22, 0x3a, 0x31, 0x7d],
        [0x22, 0xe2, 0x82, 0x22],
        [0x00],
      )
      .map((bytes) => Buffer.from(bytes)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)
