import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { operation } from '#storage/operation.ts'
import { integer, row, text } from '#storage/row.ts'

const NUMBERS = row({ name: text(), count: integer() })
const NEXT = row({ next: integer() })

/** The next `count` numbers of that name are taken. */
export const numbersTaken = operation('numbers_taken', {
  row: NUMBERS,
  statement: { update: 'numbers', set: 'next = t.next + :count', where: 't.name = :name' },
  scope: ({ name }) => `numbers:${name}`,
  fold: 'next batch',
  returning: NEXT,
})

/** What numbers are given out for, all over the deployment. */
export type NumberName = 'user' | 'room' | 'session' | 'task' | 'audit' | 'filter'

const BLOCK = 100

/** Gives out numbers that were never given before, taken from the database in blocks. A restart leaves the rest of a block unused. */
export class Numbers {
  readonly #commit: Commit
  readonly #left = new Map<NumberName, { next: number; end: number }>()
  readonly #taking = new Map<NumberName, Promise<void>>()

  constructor(commit: Commit) {
    this.#commit = commit
  }

  async next(name: NumberName): Promise<number> {
    for (;;) {
      const left = this.#left.get(name)
      if (left !== undefined && left.next < left.end) return left.next++
      let taking = this.#taking.get(name)
      if (taking === undefined) {
        taking = this.#take(name).finally(() => this.#taking.delete(name))
        this.#taking.set(name, taking)
      }
      await taking
    }
  }

  async #take(name: NumberName): Promise<void> {
    const outcome = await this.#commit(new Change().write(numbersTaken, { name, count: BLOCK }))
    const [taken] = outcome.ok ? outcome.returned(numbersTaken) : []
    if (taken === undefined) throw new Error(`no numbers are given out for ${name}`)
    this.#left.set(name, { next: taken.next - BLOCK, end: taken.next })
  }
}
