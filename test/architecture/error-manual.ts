import { type Errcode, errcodes } from '#protocol/errcodes.ts'
import { textOf } from './repository.ts'

/** How a code is made: by which function, and what its docstring says of it. */
type Maker = { readonly name: string; readonly status: string; readonly sentence: string }

/** A function of errors.ts with the docstring above it; and the code it makes, within what it returns. */
const MAKER =
  /\/\*\*\s*(?<doc>(?:(?!\*\/)[\s\S])*)\*\/\nexport const (?<name>\w+) =(?<body>(?:(?!\n\/\*\*|\n\/\/ )[\s\S])*)/g
const MADE = /(?:maker|new MatrixError)\('(?<code>M_\w+)'/
const SENTENCE = /^(?<status>\d{3})(?:(?<unless> unless [^:]*))?: (?<sentence>.*?)(?: https:\S+)?$/

function makersByCode(): ReadonlyMap<string, readonly Maker[]> {
  const makers = new Map<string, Maker[]>()
  for (const { groups } of textOf('src/protocol/errors.ts').matchAll(MAKER)) {
    const code = MADE.exec(groups?.['body'] ?? '')?.groups?.['code']
    const doc = (groups?.['doc'] ?? '').replaceAll(/\s*\n \* ?/g, ' ').trim()
    const said = SENTENCE.exec(doc)?.groups
    if (code === undefined) continue
    if (said === undefined) throw new Error(`the docstring of ${groups?.['name']} should begin with its status: ${doc}`)
    const maker = {
      name: groups?.['name'] ?? '',
      status: `${said['status']}${said['unless'] ?? ''}`,
      sentence: said['sentence'] ?? '',
    }
    makers.set(code, [...(makers.get(code) ?? []), maker])
  }
  return makers
}

const placeOf = (spec: string): string => spec.replace('https://spec.matrix.org/v1.19/', '')

/** The manual of error codes, from the table of codes and the functions that make errors. */
export function errorManual(): string {
  const makers = makersByCode()
  const made = (Object.keys(errcodes) as Errcode[]).filter((code) => makers.has(code))
  const others = (Object.keys(errcodes) as Errcode[]).filter((code) => !makers.has(code))
  const rows = made
    .toSorted()
    .flatMap((code) =>
      (makers.get(code) ?? []).map(
        ({ name, status, sentence }) =>
          `| \`${code}\` | ${status} | ${sentence} | \`${name}\` | [${placeOf(errcodes[code].spec)}](${errcodes[code].spec}) |`,
      ),
    )
  return `# Error codes

Made by \`node tools/error-docs.ts\` from \`src/protocol/errcodes.ts\` and \`src/protocol/errors.ts\`: do not edit.

What fails is answered with a status and \`{"errcode": ..., "error": ...}\`; some codes bring further fields. The text under \`error\` is for humans and may change. An \`M_UNKNOWN\` with status 500 is a fault of the server: the text names the request, and the log says more under that name.

## Codes that Myelin has a function for

| code | status | it means | made by | specified in |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

A function in this table need not be called by anything yet; \`docs/are-we-there-yet.md\` says which endpoints there are.

## Codes that no function makes

They are known because other servers may answer with them: ${others
    .toSorted()
    .map((code) => `\`${code}\``)
    .join(', ')}.
`
}
