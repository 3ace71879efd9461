import * as z from 'zod'
import type { Json } from '#util/json.ts'

/** How a value is written and what it means: the schema that reads it, and the words for it in the manual. */
export type Kind<T> = {
  readonly schema: z.ZodType<T>
  /** Fits after "Expected": `a number`. */
  readonly type: string
  /** The value is a path: a relative one starts at the working directory, as in Synapse. */
  readonly isPath?: boolean
  /** `null` says something here; elsewhere it means that the option is not given. */
  readonly acceptsNull?: boolean
  readonly inner?: Inner
}
/** What stands inside a structured value: in it, in each of its items, or under each of its keys. */
export type Inner = Level & { readonly shape: 'object' | 'list' | 'map' }
/** The keys that may stand at one level of the file. */
export type Level = { readonly options: readonly AnyOption[]; readonly unused: readonly Unused[] }

/** One option: its YAML key, and everything about it. */
export type Option<T> = {
  readonly key: string
  readonly kind: Kind<unknown>
  readonly schema: z.ZodType<T>
  readonly doc: string
  /** What the manual says when the option is left out, as it would be written; `undefined`: nothing. */
  readonly default: unknown
  readonly isRequired: boolean
  /** Synapse has no such option. */
  readonly isOurs: boolean
  /** The key of the twin that names a file to read the value from. */
  readonly pathKey: string | undefined
  /** That file is made, with a random content, where it is missing. */
  readonly isMadeWhenMissing: boolean
}
/** An option of any type, where options of several stand together. */
export type AnyOption = Option<unknown>
/** Options by the names that the code has for their values. */
export type Fields = Readonly<Record<string, AnyOption>>
/** The values of options by the same names. */
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Option<infer T> ? T : never }

/** An option that Synapse has and Myelin knows, but does not use. */
export type Unused = {
  readonly key: string
  readonly standing: 'notYet' | 'doesNotApply'
  /** Completes "Not used yet:" or "Does not apply:". */
  readonly sentence: string
  /** Values that ask for what Myelin does anyway, so that there is nothing to tell. */
  readonly harmless: readonly Json[]
  readonly isProtection: boolean
}
type AboutUnused = { readonly harmless?: readonly Json[]; readonly isProtection?: true }

type About = { readonly doc: string; readonly isOurs?: true }

/** Declares an option. Without a `default` and not `required`, its value is `undefined` where it is left out. */
export function option<T>(key: string, kind: Kind<T>, about: About & { readonly default: unknown }): Option<T>
export function option<T>(key: string, kind: Kind<T>, about: About & { readonly required: true }): Option<T>
export function option<T>(key: string, kind: Kind<T>, about: About): Option<T | undefined>
export function option<T>(
  key: string,
  kind: Kind<T>,
  about: About & { readonly default?: unknown; readonly required?: true },
): Option<T | undefined> {
  const isRequired = about.required === true
  const given = kind.schema
  return {
    key,
    kind,
    schema: isRequired ? given : about.default === undefined ? given.optional() : withDefault(given, about.default),
    doc: about.doc,
    default: about.default,
    isRequired,
    isOurs: about.isOurs === true,
    pathKey: undefined,
    isMadeWhenMissing: false,
  }
}

/** A secret, written in place under `key` or in a file of its own named by `key_path`; both together are an error. Empty is as good as absent. */
export function secret(
  key: string,
  about: { readonly doc: string; readonly isMadeWhenMissing?: true },
): Option<string | undefined> {
  const schema = z.string().transform((value) => (value === '' ? undefined : value))
  const plain = option<string | undefined>(key, { schema, type: 'text' }, { doc: about.doc })
  return { ...plain, pathKey: `${key}_path`, isMadeWhenMissing: about.isMadeWhenMissing === true }
}

/** An option of Synapse that Myelin is going to use one day. */
export const notYet = (key: string, sentence: string, about: AboutUnused = {}): Unused => ({
  key,
  standing: 'notYet',
  sentence,
  harmless: about.harmless ?? [],
  isProtection: about.isProtection === true,
})

/** An option of Synapse that has no meaning here. */
export const doesNotApply = (key: string, sentence: string, about: AboutUnused = {}): Unused => ({
  ...notYet(key, sentence, about),
  standing: 'doesNotApply',
})

/** A value made of named options. */
export const object = <F extends Fields>(fields: F, unused: readonly Unused[] = []): Kind<Values<F>> => ({
  schema: fieldsSchema(fields),
  type: 'a set of options',
  inner: { shape: 'object', options: Object.values(fields), unused },
})

/** Several values of one kind. */
export const list = <T>(item: Kind<T>, type: string): Kind<readonly T[]> => ({
  schema: z.array(item.schema),
  type,
  ...(item.inner === undefined ? {} : { inner: { ...item.inner, shape: 'list' } }),
})

/** Values of one kind under names of the administrator's choice. */
export const mapOf = <T>(item: Kind<T>, type: string): Kind<Readonly<Record<string, T>>> => ({
  schema: z.record(z.string(), item.schema),
  type,
  ...(item.inner === undefined ? {} : { inner: { ...item.inner, shape: 'map' } }),
})

/** Says what is wrong with a value, or with what stands at `path` inside it. */
export type Fail = (sentence: string, ...path: (string | number)[]) => void

/** A kind that makes something else of the value, and may object to it. */
export const derive = <A, B>(kind: Kind<A>, make: (value: A, fail: Fail) => B): Kind<B> => ({
  ...kind,
  schema: kind.schema.transform((value, context) =>
    make(value, (message, ...path) => context.issues.push({ code: 'custom', input: value, message, path })),
  ),
})

/** `null` for "none", as a value of its own beside the default. */
export const orNone = <T>(kind: Kind<T>): Kind<T | undefined> => ({
  ...kind,
  schema: kind.schema.nullable().transform((value) => value ?? undefined),
  type: `${kind.type}, or \`null\` for none`,
  acceptsNull: true,
})

/** The schema of a level of the file: reads YAML keys, gives the names that the code uses. */
export function fieldsSchema<F extends Fields>(fields: F): z.ZodType<Values<F>> {
  const shape = Object.fromEntries(Object.values(fields).map(({ key, schema }) => [key, schema]))
  return z.object(shape).transform((raw) => {
    const named = Object.entries(fields).map(([name, { key }]) => [name, raw[key]])
    return Object.fromEntries(named) as Values<F>
  })
}

const withDefault = <T>(schema: z.ZodType<T>, value: unknown): z.ZodType<T> =>
  schema.prefault(value as z.input<typeof schema>)
