import { existsSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { argv, exit, stderr, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Operation, OperationExamples, QueryFact } from '#test/conformance/facts.ts'
import type { Shape } from '#test/conformance/shape.ts'
import { get, type Json } from '#util/json.ts'
import { type Part, SpecDocuments } from './spec-document.ts'
import { exampleOf, shapeOf } from './spec-shape.ts'

// node tools/spec-facts.ts <folder of the Matrix specification>
// Takes the facts (names, types, what is required; no prose) and the examples out of the specification's API description.

const APIS = ['client-server', 'server-server', 'application-service', 'identity', 'push-gateway']
const METHODS = ['get', 'put', 'post', 'delete', 'options'] as const

const folder = argv[2]
if (folder === undefined || !existsSync(join(folder, 'data/api'))) {
  stderr.write('usage: node tools/spec-facts.ts <folder of the Matrix specification, with data/api in it>\n')
  exit(1)
}
const spec = new SpecDocuments()
const operations: Operation[] = []
const examples: OperationExamples[] = []
for (const api of APIS) {
  for (const file of spec.filesOf(join(folder, 'data/api', api))) readFile(api, file)
}
operations.sort(byName)
examples.sort(byName)
write('spec-facts.json', operations)
write(
  'spec-examples.json',
  examples.filter(({ requests, responses }) => requests.length + responses.length > 0),
)
stdout.write(`${operations.length} operations\n`)

function readFile(api: string, file: string): void {
  const document: Part = { file, value: spec.document(file) }
  for (const [path, item] of spec.entries(spec.at(document, 'paths'))) {
    for (const method of METHODS) {
      const operation = spec.at(item, method)
      if (operation === undefined) continue
      const fact = operationOf(operation, { api, file, path: `${basePath(document)}${path}`.trim(), method, item })
      operations.push(fact)
      examples.push(examplesOf(operation, fact))
    }
  }
}

function basePath(document: Part): string {
  const [server] = spec.list(spec.at(document, 'servers'))
  const variable = server === undefined ? undefined : spec.at(server, 'variables')
  const base = variable === undefined ? undefined : spec.at(variable, 'basePath')
  const path = get(base?.value, 'default')
  return typeof path === 'string' ? path : ''
}

type Where = {
  readonly api: string
  readonly file: string
  readonly path: string
  readonly method: string
  readonly item: Part
}

function operationOf(operation: Part, { api, file, path, method, item }: Where): Operation {
  const parameters = [...spec.list(spec.at(item, 'parameters')), ...spec.list(spec.at(operation, 'parameters'))]
  const query = parameters.filter(({ value }) => get(value, 'in') === 'query').map(queryFact)
  const body = spec.at(operation, 'requestBody')
  const responses = spec.entries(spec.at(operation, 'responses'))
  const bodyShape = body === undefined ? undefined : contentShape(body)
  return {
    api,
    file: basename(file, '.yaml'),
    id: String(get(operation.value, 'operationId')),
    tag: String(spec.list(spec.at(operation, 'tags'))[0]?.value ?? 'Other'),
    method: method.toUpperCase(),
    path,
    auth: authOf(operation),
    rateLimit: responses.some(([status]) => status === '429'),
    deprecated: get(operation.value, 'deprecated') === true,
    query: Object.fromEntries(query.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...(body === undefined ? {} : { bodyRequired: get(body.value, 'required') === true }),
    ...(bodyShape === undefined ? {} : { body: bodyShape }),
    responses: Object.fromEntries(
      responses.filter(([status]) => status !== '429').map(([status, one]) => [status, contentShape(one) ?? null]),
    ),
  }
}

function queryFact({ file, value }: Part): readonly [string, QueryFact] {
  const schema = spec.at({ file, value }, 'schema')
  const required = get(value, 'required') === true
  return [String(get(value, 'name')), { required, shape: schema === undefined ? {} : shapeOf(spec, schema) }]
}

/** The kinds of tokens that an operation takes; `optional` where none will do too. */
function authOf(operation: Part): string {
  const schemes = spec.list(spec.at(operation, 'security')).map(({ value }) => Object.keys(value as object).join('+'))
  if (schemes.length === 0) return 'none'
  if (schemes.includes('') && schemes.length > 1) return 'accessTokenOptional'
  return schemes.join(' ').replace('accessTokenBearer', 'accessToken')
}

function contentShape(part: Part): Shape | undefined {
  const schema = jsonSchemaOf(part)
  return schema === undefined ? undefined : shapeOf(spec, schema)
}

function jsonSchemaOf(part: Part): Part | undefined {
  const content = spec.at(part, 'content')
  const json = content === undefined ? undefined : spec.at(content, 'application/json')
  return json === undefined ? undefined : spec.at(json, 'schema')
}

function examplesOf(operation: Part, fact: Operation): OperationExamples {
  const body = spec.at(operation, 'requestBody')
  return {
    api: fact.api,
    id: fact.id,
    requests: body === undefined ? [] : contentExamples(body),
    responses: spec
      .entries(spec.at(operation, 'responses'))
      .filter(([status]) => status !== '429')
      .flatMap(([status, one]) => contentExamples(one).map((example) => ({ status: Number(status), body: example }))),
  }
}

function contentExamples(part: Part): readonly Json[] {
  const content = spec.at(part, 'content')
  const json = content === undefined ? undefined : spec.at(content, 'application/json')
  if (json === undefined) return []
  const listed = spec
    .entries(spec.at(json, 'examples'))
    .map(([, example]) => spec.resolvedAt(example, 'value'))
    .filter((value) => value !== undefined)
  if (listed.length > 0) return listed
  const schema = spec.at(json, 'schema')
  const example = spec.resolvedAt(json, 'example') ?? (schema === undefined ? undefined : exampleOf(spec, schema))
  return example === undefined ? [] : [example]
}

function byName(
  a: { readonly api: string; readonly id: string },
  b: { readonly api: string; readonly id: string },
): number {
  return a.api === b.api ? (a.id < b.id ? -1 : 1) : APIS.indexOf(a.api) - APIS.indexOf(b.api)
}

function write(name: string, rows: readonly unknown[]): void {
  const text = `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`
  writeFileSync(fileURLToPath(new URL(`../test/conformance/${name}`, import.meta.url)), text)
}
