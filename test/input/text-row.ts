import type { Endpoint } from '#api/endpoint.ts'
import type { TextWorld } from './text-world.ts'

/** What an endpoint shows of a text: how it should be, and how it is. */
export type Shown = readonly (readonly [where: string, expected: unknown, actual: unknown])[]

/** A text that clients can set. */
export type TextRow = {
  readonly name: string
  /** The endpoints without which there is no such text. */
  readonly needs: readonly Endpoint[]
  /** It stands in a path or query: what has no UTF-8 cannot be there. */
  readonly isInUrl?: true
  /** The code with which a text is refused; nothing where it has to be taken. */
  readonly refusal: (text: string) => string | undefined
  /** Sets the text. */
  readonly set: (world: TextWorld, text: string) => Promise<unknown>
  /** What is shown of it. Gets what `set` gave. */
  readonly shown: (world: TextWorld, text: string, given: never) => Promise<Shown>
}

/** A row, whose `shown` gets what its `set` gave. */
export const row = <Given>(
  given: Omit<TextRow, 'set' | 'shown'> & {
    readonly set: (world: TextWorld, text: string) => Promise<Given>
    readonly shown: (world: TextWorld, text: string, given: Given) => Promise<Shown>
  },
): TextRow => given

/** Every text has to be taken. */
export const never = () => undefined
/** Events are written in UTF-8, and are canonical JSON. https://spec.matrix.org/v1.19/appendices/#canonical-json */
export const whereNoUtf8 = (text: string) => (text.isWellFormed() ? undefined : 'M_BAD_JSON')
