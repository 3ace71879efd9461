import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { get, isObject, type Json } from '#util/json.ts'

/** A part of the specification's API description, with the file it stands in: references are relative to that. */
export type Part = { readonly file: string; readonly value: Json }

/** Reads the YAML files of an API description and follows the references between them. */
export class SpecDocuments {
  readonly #documents = new Map<string, Json>()

  /** The description files of one API, sorted. */
  filesOf(folder: string): readonly string[] {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => join(folder, name))
  }

  /** A whole file. */
  document(file: string): Json {
    const known = this.#documents.get(file) ?? (parse(readFileSync(file, 'utf8'), { merge: true }) as Json)
    this.#documents.set(file, known)
    return known
  }

  /** The part itself, or what it refers to. What stands beside a reference does not count. */
  follow(part: Part): Part {
    const target = this.#target(part)
    return target === undefined ? part : this.follow(target)
  }

  #target({ file, value }: Part): Part | undefined {
    const reference = get(value, '$ref')
    if (typeof reference !== 'string') return undefined
    const [path = '', pointer = ''] = reference.split('#')
    const target = path === '' ? file : resolve(dirname(file), path)
    let found: Json = this.document(target)
    for (const step of pointer.split('/').filter((name) => name !== '')) {
      const next = get(found, step.replaceAll('~1', '/').replaceAll('~0', '~'))
      if (next === undefined) throw new Error(`${file} refers to ${reference}, which is not there`)
      found = next
    }
    return { file: target, value: found }
  }

  /** What stands at `key`, with references followed. */
  at(part: Part, key: string): Part | undefined {
    const followed = this.follow(part)
    const value = get(followed.value, key)
    return value === undefined ? undefined : this.follow({ file: followed.file, value })
  }

  /** What stands at `key`, with every reference in it replaced. */
  resolvedAt(part: Part, key: string): Json | undefined {
    const { file, value } = this.follow(part)
    const found = get(value, key)
    return found === undefined ? undefined : this.resolved({ file, value: found })
  }

  /** The entries of a mapping, each with references followed. */
  entries(part: Part | undefined): readonly (readonly [string, Part])[] {
    if (part === undefined) return []
    const { file, value } = this.follow(part)
    if (!isObject(value)) return []
    return Object.entries(value).map(([key, entry]) => [key, this.follow({ file, value: entry })])
  }

  /** The entries of a list, each with references followed. */
  list(part: Part | undefined): readonly Part[] {
    if (part === undefined) return []
    const { file, value } = this.follow(part)
    return Array.isArray(value) ? value.map((entry: Json) => this.follow({ file, value: entry })) : []
  }

  /** The value with every reference in it replaced by what it refers to. In an example, what stands beside a reference is laid over that. */
  resolved({ file, value }: Part): Json {
    if (Array.isArray(value)) return value.map((entry: Json) => this.resolved({ file, value: entry }))
    if (!isObject(value)) return value
    const own = Object.entries(value)
      .filter(([key]) => key !== '$ref')
      .map(([key, entry]) => [key, this.resolved({ file, value: entry })] as const)
    const target = this.#target({ file, value })
    if (target === undefined) return Object.fromEntries(own)
    const referred = this.resolved(target)
    return isObject(referred) ? { ...referred, ...Object.fromEntries(own) } : referred
  }
}
