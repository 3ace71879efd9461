import { endpointOf } from './declared.ts'
import { type Operation, operations } from './facts.ts'

/** The APIs of the specification, and what a homeserver does with them. */
const APIS: readonly (readonly [api: string, title: string, role: string])[] = [
  ['client-server', 'Client-server', 'served'],
  ['server-server', 'Server-server', 'served and called'],
  ['application-service', 'Application services', 'called'],
  ['identity', 'Identity servers', 'called, by clients or by us'],
  ['push-gateway', 'Push gateways', 'called'],
]

/** Which operations of the specification are declared and which are not yet, as a document. */
export function statusReport(): string {
  const lines = [
    '# Are we there yet?',
    '',
    "Made by `node tools/are-we-there-yet.ts` from the specification's own list of operations and the declarations in `src/api/`: do not edit.",
    '"Declared" says that the endpoint is known to the server, checked against the specification; its tests say how well it answers.',
    '',
    '| API | what we do with it | operations | declared |',
    '| --- | --- | ---: | ---: |',
  ]
  for (const [api, title, role] of APIS) {
    const all = operations.filter((operation) => operation.api === api)
    lines.push(`| ${title} | ${role} | ${all.length} | ${declaredOf(all).length} |`)
  }
  for (const [api, title] of APIS) lines.push('', ...ofApi(api, title))
  return `${lines.join('\n')}\n`
}

const declaredOf = (some: readonly Operation[]): readonly Operation[] =>
  some.filter((operation) => endpointOf(operation) !== undefined)

function ofApi(api: string, title: string): readonly string[] {
  const modules = Map.groupBy(
    operations.filter((operation) => operation.api === api),
    ({ tag }) => tag,
  )
  const sorted = [...modules].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    `## ${title}`,
    '',
    '| module | declared | missing |',
    '| --- | ---: | --- |',
    ...sorted.map(([tag, all]) => {
      const missing = all.filter((operation) => endpointOf(operation) === undefined)
      const names = missing.map(({ id, deprecated }) => (deprecated ? `_${id}_` : id))
      return `| ${tag} | ${all.length - missing.length} of ${all.length} | ${names.join(', ')} |`
    }),
    '',
    'In italics: deprecated.',
  ]
}
