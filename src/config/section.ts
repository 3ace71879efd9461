import type { Json } from '#util/json.ts'
import type { FileAccess } from './files.ts'
import type { Findings } from './findings.ts'
import type { AnyOption, Fields, Values } from './option.ts'
import { fieldsSchema } from './option.ts'
import { sentence } from './sentence.ts'

/** Options that belong together, read into one typed value. */
export type Section<T> = {
  readonly title: string
  readonly doc: string
  readonly options: readonly AnyOption[]
  /** Reads the section out of the whole file. `undefined` where options are not what they should be; then `onIssue` is told why. */
  readonly read: (raw: unknown, context: Context, onIssue: OnIssue) => T | undefined
}
/** What a section is read into. */
export type SectionValue<S> = S extends Section<infer T> ? T : never
/** Is told what is wrong, and where below the section. */
export type OnIssue = (path: readonly PropertyKey[], sentence: string) => void

/** What a section may look at besides its own options, and where it says what it thinks of them. */
export type Context = {
  readonly workingDirectory: string
  /** The folder of the last configuration file. */
  readonly configDirectory: string
  /** `server_name` as it stands in the file, for names of files; empty where it is missing. */
  readonly serverName: string
  /** What stands in the file under `key`, used or not; `undefined` where nothing or `null` does. */
  readonly given: (key: string) => Json | undefined
  /** Whether `key` stands in the file at all, be it with `null`. */
  readonly isGiven: (key: string) => boolean
  readonly fail: (path: readonly PropertyKey[], sentence: string) => void
  readonly notice: (path: readonly PropertyKey[], sentence: string) => void
  readonly files: FileAccess
  /** Everything found so far, for files that are read while a section is. */
  readonly findings: Findings
}

/** Declares a section. `finish` judges the options together and gives the section the shape that the code wants. */
export function section<F extends Fields>(about: About, fields: F): Section<Values<F>>
export function section<F extends Fields, T>(about: About, fields: F, finish: Finish<F, T>): Section<T>
export function section<F extends Fields, T>(about: About, fields: F, finish?: Finish<F, T>): Section<Values<F> | T> {
  const schema = fieldsSchema(fields)
  return {
    ...about,
    options: Object.values(fields),
    read: (raw, context, onIssue) => {
      // It is read once: code made for it would take longer than reading.
      const result = schema.safeParse(raw, { error: sentence, jitless: true })
      if (result.success) return finish === undefined ? result.data : finish(result.data, context)
      for (const { path, message } of result.error.issues) onIssue(path, message)
      return undefined
    },
  }
}
type About = { readonly title: string; readonly doc: string }
type Finish<F extends Fields, T> = (values: Values<F>, context: Context) => T
