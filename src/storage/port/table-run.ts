import { hash } from 'node:crypto'
import type { Table } from './catalogue.ts'
import { type Difference, Merger } from './merge.ts'
import type { Digest, Key, Oddity, Range, Source, Target } from './side.ts'

/** What a range of rows should come to, in the canonical text of its rows. */
const RANGE_BYTES = 1_500_000
const FIRST_ROWS = 1_000
const LEAST_ROWS = 50
const MOST_ROWS = 20_000
/** What one COPY writes: as much may be lost when the tool is killed. */
const LOAD_BYTES = 32_000_000

/** What is being done with a table. */
export type Phase = 'compare' | 'copy' | 'index' | 'verify' | 'done'
/** How far a table is. `total`: rows of the source. */
export type TableProgress = {
  readonly table: string
  readonly phase: Phase
  readonly done: number
  readonly total: number
}

/** What became of a table. */
export type TableResult = {
  readonly table: string
  readonly sourceRows: number
  readonly targetRows: number
  readonly sourceSum: string
  readonly targetSum: string
  readonly added: number
  readonly updated: number
  readonly removed: number
  /** Rows of the source that the target cannot have. */
  readonly impossible: number
  readonly oddities: { readonly count: number; readonly items: readonly Oddity[] }
  readonly differences: { readonly count: number; readonly items: readonly Difference[] }
  readonly ms: number
}

type Deps = {
  readonly table: Table
  readonly source: Source
  readonly target: Target
  /** Rows of the source. */
  readonly total: number
  /** Writes nothing. */
  readonly onlyVerify: boolean
  /** The most rows of a range. */
  readonly batchSize: number | undefined
  readonly report: (progress: TableProgress) => void
  readonly now: () => number
}

/** A range with what its rows amount to on each side; `target` is what was last seen there. */
type Piece = { readonly range: Range; readonly source: Digest; target: Digest }

const NOTHING: Digest = { rows: 0, bytes: 0, sum: hash('md5', '') }

/** Makes one table of the target equal to the source's, and makes sure that it is. */
export const runTable = (deps: Deps): Promise<TableResult> => new TableRun(deps).run()

class TableRun {
  readonly #deps: Deps
  readonly #pieces: Piece[] = []
  /** Places in `#pieces` of those that were not equal. */
  readonly #unequal: number[] = []
  readonly #merger: Merger
  readonly #total: number
  #loaded = 0
  #rows = FIRST_ROWS

  constructor(deps: Deps) {
    this.#deps = deps
    this.#merger = new Merger(deps)
    this.#total = deps.total
    this.#rows = this.#limited(FIRST_ROWS)
  }

  async run(): Promise<TableResult> {
    const { table, target, onlyVerify, now } = this.#deps
    const start = now()
    const isEmpty = await target.isEmpty(table)
    if (isEmpty && !onlyVerify) await target.dropIndexes(table)
    await this.#compare(isEmpty)
    if (!onlyVerify) {
      const isChanged = this.#unequal.length > 0
      await this.#write()
      this.#report('index', this.#total)
      await target.makeIndexes(table)
      if (isChanged) await target.analyze(table)
    }
    const verifier = await this.#verify()
    this.#report('done', this.#total)
    const { changed } = this.#merger
    return {
      table: table.name,
      sourceRows: sum(this.#pieces.map((piece) => piece.source.rows)),
      // Rows that got another key may lie in a range that was equal without them.
      targetRows: verifier.hasMoved ? await target.count(table) : sum(this.#pieces.map((piece) => piece.target.rows)),
      sourceSum: together(this.#pieces.map((piece) => piece.source)),
      targetSum: together(this.#pieces.map((piece) => piece.target)),
      ...changed,
      added: changed.added + this.#loaded,
      impossible: onlyVerify ? verifier.impossible : this.#merger.impossible,
      oddities: onlyVerify ? verifier.oddities : this.#merger.oddities,
      differences: verifier.differences,
      ms: now() - start,
    }
  }

  #report(phase: Phase, done: number): void {
    this.#deps.report({ table: this.#deps.table.name, phase, done, total: this.#total })
  }

  #limited(rows: number): number {
    return Math.max(1, Math.min(rows, this.#deps.batchSize ?? MOST_ROWS))
  }

  /** Ranges shall be of about equal size in bytes. */
  #learn({ rows, bytes }: Digest): void {
    if (rows === 0) return
    const fitting = Math.floor((RANGE_BYTES * rows) / Math.max(1, bytes))
    this.#rows = this.#limited(Math.max(LEAST_ROWS, Math.min(fitting, this.#rows * 4, MOST_ROWS)))
  }

  /** Walks through the table. The target works out a range while the source does, and the range before is being judged. */
  async #compare(isEmpty: boolean): Promise<void> {
    const { table, source, target } = this.#deps
    let waiting: { readonly piece: Omit<Piece, 'target'>; readonly target: Promise<Digest> } | undefined
    let seen = 0
    const settle = async () => {
      if (waiting === undefined) return
      const piece = { ...waiting.piece, target: await waiting.target }
      seen += piece.source.rows
      await this.#judge(piece)
      this.#report('compare', seen)
    }
    for (let after: Key | undefined; ; ) {
      const upTo = await source.boundary(table, after, this.#rows)
      const range = { after, upTo }
      const asked = isEmpty ? Promise.resolve(NOTHING) : target.digest(table, range)
      // It is heard of when it is waited for.
      asked.catch(() => {})
      const digest = await source.digest(table, range)
      this.#learn(digest)
      await settle()
      waiting = { piece: { range, source: digest }, target: asked }
      if (upTo === undefined) break
      after = upTo
    }
    await settle()
    if (!this.#deps.onlyVerify) await this.#merger.settle('clear')
  }

  async #judge(piece: Piece): Promise<void> {
    const place = this.#pieces.push(piece) - 1
    if (isEqual(piece)) return
    this.#unequal.push(place)
    const { table, onlyVerify } = this.#deps
    // What has another row's unique value goes before that row comes.
    const mayCollide = table.unique.length > 0 && piece.target.rows > 0
    if (mayCollide && !onlyVerify) await this.#merger.merge(piece.range, 'clear')
  }

  async #write(): Promise<void> {
    let written = 0
    let absent: Piece[] = []
    const load = async () => {
      const pieces = absent
      absent = []
      if (pieces.length > 0) await this.#load(pieces)
    }
    for (const place of this.#unequal) {
      const piece = this.#pieces[place] as Piece
      if (piece.target.rows === 0 && this.#deps.target.load !== undefined) {
        absent.push(piece)
        if (sum(absent.map(({ source }) => source.bytes)) >= LOAD_BYTES) await load()
      } else {
        await this.#merger.merge(piece.range, 'write')
      }
      written += piece.source.rows
      this.#report('copy', written)
    }
    await load()
    await this.#merger.settle('write')
  }

  /** Ranges that the target has nothing of are streamed; where it would not have one of their rows, row by row. */
  async #load(pieces: readonly Piece[]): Promise<void> {
    const { table, source, target } = this.#deps
    const { copyText } = source
    if (copyText === undefined || target.load === undefined) {
      for (const { range } of pieces) await this.#merger.merge(range, 'write')
      return
    }
    const isLoaded = await target.load(table, chunks(pieces, copyText, table))
    if (isLoaded) this.#loaded += sum(pieces.map((piece) => piece.source.rows))
    else if (pieces.length > 1) for (const piece of pieces) await this.#load([piece])
    else for (const { range } of pieces) await this.#merger.merge(range, 'write')
  }

  /** Looks again at what was written; says of what is still not equal which rows differ. */
  async #verify(): Promise<Merger> {
    const { table, target, onlyVerify } = this.#deps
    const verifier = new Merger(this.#deps)
    let verified = 0
    for (const place of this.#unequal) {
      const piece = this.#pieces[place] as Piece
      if (!onlyVerify) piece.target = await target.digest(table, piece.range)
      if (!isEqual(piece)) await verifier.merge(piece.range, 'compare')
      verified += piece.source.rows
      this.#report('verify', verified)
    }
    await verifier.settle('compare')
    return verifier
  }
}

function* chunks(
  pieces: readonly Piece[],
  copyText: NonNullable<Source['copyText']>,
  table: Table,
): Generator<Uint8Array> {
  for (const { range } of pieces) yield copyText(table, range)
}

const isEqual = ({ source, target }: Piece): boolean => source.rows === target.rows && source.sum === target.sum
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const together = (digests: readonly Digest[]): string =>
  hash(
    'md5',
    digests
      .filter(({ rows }) => rows > 0)
      .map((digest) => digest.sum)
      .join(''),
  )
