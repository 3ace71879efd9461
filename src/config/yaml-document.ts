import type { Document, DocumentOptions, ParseOptions, SchemaOptions, Tags, YAMLMap } from 'yaml'
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Json } from '#util/json.ts'
import type { Place } from './problem.ts'

/** A value in a YAML file that remembers where it stands, and where its key stands. */
export type Located = {
  readonly place: Place
  readonly keyPlace: Place | undefined
  readonly content: Content
}
type Content =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Located[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Located> }

/** What a file contains, with all that is wrong with it; `root` is `undefined` where it contains nothing. */
export type YamlFile = {
  readonly root: Located | undefined
  readonly problems: readonly Finding[]
  /** Harmless oddities: a key that stands twice. */
  readonly oddities: readonly Finding[]
}
type Finding = { readonly place: Place; readonly sentence: string }

/** Reads YAML 1.1 as PyYAML's safe loader does: `yes`, `no`, `on` and `off` are booleans, `y` and `n` are not. Never throws. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, { ...options, lineCounter: lines })
    const reader = new Reader(file, lines, document)
    for (const { pos, message } of [...document.errors, ...document.warnings])
      reader.complain(pos[0], `This is not YAML as Myelin reads it: ${message}.`.replace(/\.\.$/, '.'))
    const isEmpty = document.contents === null || reader.problems.length > 0
    const root = isEmpty ? undefined : reader.read(document.contents, undefined)
    return { root, problems: reader.problems, oddities: reader.oddities }
  } catch (error) {
    // A RangeError is what nesting too deep for the stack gives; anything else is a mistake of ours.
    if (!(error instanceof RangeError)) throw error
    const place = { file, line: 1, column: 1 }
    return { root: undefined, problems: [{ place, sentence: 'This is nested too deeply.' }], oddities: [] }
  }
}

/** The value without the places. */
export function plain({ content }: Located): Json {
  if (content.kind === 'scalar') return content.value
  if (content.kind === 'list') return content.items.map(plain)
  return Object.fromEntries([...content.entries].map(([key, value]) => [key, plain(value)]))
}

/** The nearest thing to `path` that stands in the file: itself, or what it would stand in. */
export function find(root: Located, path: readonly PropertyKey[]): Located {
  const [key, ...rest] = path
  if (key === undefined) return root
  const { content } = root
  const child =
    content.kind === 'list'
      ? content.items[Number(key)]
      : content.kind === 'map'
        ? content.entries.get(String(key))
        : undefined
  return child === undefined ? root : find(child, rest)
}

/** Where an error about a value points: a scalar itself, else the key of the collection. */
export const placeOf = ({ content, place, keyPlace }: Located): Place =>
  content.kind === 'scalar' && content.value !== null ? place : (keyPlace ?? place)

const MAX_VALUES = 100_000
const PYTHON_BOOLEANS: Readonly<Record<string, RegExp>> = {
  true: /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/,
  false: /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
}
/** Of YAML 1.1 we take what a configuration can mean: no sets, dates or binary data. */
const UNUSED_TAGS = /:(timestamp|binary|set|omap|pairs)$/

const options: DocumentOptions & ParseOptions & SchemaOptions = {
  version: '1.1',
  prettyErrors: false,
  uniqueKeys: false,
  customTags: (tags) =>
    tags.flatMap((tag): Tags => {
      if (typeof tag !== 'object') return [tag]
      if (UNUSED_TAGS.test(tag.tag)) return []
      if (tag.collection !== undefined || tag.tag !== 'tag:yaml.org,2002:bool') return [tag]
      const test = PYTHON_BOOLEANS[String(tag.test?.test('true'))]
      return test === undefined ? [tag] : [{ ...tag, test }]
    }),
}

/** Turns the nodes of one document into located values. */
class Reader {
  readonly problems: Finding[] = []
  readonly oddities: Finding[] = []
  readonly #file: string
  readonly #lines: LineCounter
  readonly #document: Document
  /** Collections that are being read: an alias to one of them would never end. */
  readonly #open = new Set<unknown>()
  #count = 0

  constructor(file: string, lines: LineCounter, document: Document) {
    this.#file = file
    this.#lines = lines
    this.#document = document
  }

  complain(offset: number, sentence: string): void {
    this.problems.push({ place: this.#place(offset), sentence })
  }

  read(node: unknown, keyPlace: Place | undefined): Located {
    this.#count++
    const place = this.#place(offsetOf(node))
    const target = isAlias(node) ? node.resolve(this.#document) : node
    if (this.#count > MAX_VALUES || this.#open.has(target)) {
      if (this.#count <= MAX_VALUES + 1) this.complain(offsetOf(node), 'This refers to itself, or to too many things.')
      return { place, keyPlace, content: { kind: 'scalar', value: null } }
    }
    this.#open.add(target)
    const content = this.#content(target)
    this.#open.delete(target)
    return { place, keyPlace, content }
  }

  #content(node: unknown): Content {
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => this.read(item, undefined)) }
    if (isMap(node)) return { kind: 'map', entries: this.#entries(node) }
    return { kind: 'scalar', value: isScalar(node) ? scalarValue(node.value) : null }
  }

  #entries(map: YAMLMap): Map<string, Located> {
    const entries = new Map<string, Located>()
    const merged: Located[] = []
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? keyName(key.value) : undefined
      const keyPlace = this.#place(offsetOf(key))
      if (name === undefined || name === '__proto__') {
        this.problems.push({ place: keyPlace, sentence: 'This cannot be the name of an option.' })
      } else if (isScalar(key) && typeof key.value === 'symbol') {
        merged.push(this.read(value, keyPlace))
      } else {
        if (entries.has(name))
          this.oddities.push({ place: keyPlace, sentence: `${name} stands twice; the last counts.` })
        entries.set(name, this.read(value, keyPlace))
      }
    }
    for (const source of merged) mergeInto(entries, source)
    return entries
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) }
  }
}

/** `<<: *defaults` and `<<: [*a, *b]`: what is there already stays. */
function mergeInto(entries: Map<string, Located>, { content }: Located): void {
  if (content.kind === 'list') for (const item of content.items) mergeInto(entries, item)
  if (content.kind !== 'map') return
  for (const [key, value] of content.entries) if (!entries.has(key)) entries.set(key, value)
}

const offsetOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0)

const keyName = (value: unknown): string | undefined =>
  typeof value === 'symbol'
    ? value.description
    : typeof value === 'object' && value !== null
      ? undefined
      : String(value)

const scalarValue = (value: unknown): string | number | boolean | null => {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
