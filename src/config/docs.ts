import { sections } from './config.ts'
import { unusedOptions } from './known-options.ts'
import type { AnyOption, Level } from './option.ts'
import { standingText } from './prepare.ts'
import type { Section } from './section.ts'

/** The manual of the configuration, in Markdown: every option with its type, its default and what it is for. */
export function configurationManual(): string {
  const parts = [INTRODUCTION, ...Object.values(sections).flatMap((section) => sectionText(section)), ...unusedTexts()]
  return `${parts.join('\n\n')}\n`
}

const INTRODUCTION = `# Configuration

Generated from the declarations in \`src/config\`; \`node tools/config-docs.ts\` writes it anew.

The configuration is YAML, and its options are those of Synapse: an existing \`homeserver.yaml\` can be used as it is.
What Myelin does not use is named at every start, with the file and the line, and so is what it does not know.

- \`-c\` may be given several times, and may name folders, of which all \`.yaml\` files are read in the order of their names. Where an option at the top level stands in several files, the last one counts, as a whole.
- \`yes\`, \`no\`, \`on\` and \`off\` are booleans, as in YAML 1.1. An option that is \`null\` counts as left out, unless it says otherwise below.
- Sizes are numbers of bytes, or have \`K\`, \`M\`, \`G\` or \`T\` after them. Durations are numbers of milliseconds, or have \`s\`, \`m\`, \`h\`, \`d\`, \`w\` or \`y\` after them.
- Relative paths start at the folder in which the server is started.
- Where an option has a twin that ends in \`_path\`, the value may be kept in a file of its own, and the twin names it. Only one of the two can be given.`

function sectionText(section: Section<unknown>): readonly string[] {
  return [`## ${section.title}`, section.doc, ...section.options.map(optionText)]
}

function optionText(option: AnyOption): string {
  const twin = option.pathKey === undefined ? '' : `, \`${option.pathKey}\``
  const head = `### \`${option.key}\`${twin}`
  const inner = option.kind.inner === undefined ? [] : ['', ...levelLines(option.kind.inner, 0)]
  return [head, '', `${factsOf(option)}  `, option.doc, ...inner].join('\n')
}

function levelLines({ options, unused }: Level, depth: number): readonly string[] {
  const indent = '  '.repeat(depth)
  return [
    ...options.flatMap((option) => [
      `${indent}- \`${option.key}\`${option.pathKey === undefined ? '' : `, \`${option.pathKey}\``}: ${option.doc} (${factsOf(option)})`,
      ...(option.kind.inner === undefined ? [] : levelLines(option.kind.inner, depth + 1)),
    ]),
    ...unused.map((one) => `${indent}- \`${one.key}\`: ${standingText(one)}`),
  ]
}

function factsOf({ kind, default: otherwise, isRequired, isOurs }: AnyOption): string {
  const isPlain = otherwise !== undefined && !isEmpty(otherwise)
  const facts = [
    kind.type,
    ...(isRequired ? ['required'] : []),
    ...(isPlain ? [`default \`${typeof otherwise === 'string' ? otherwise : JSON.stringify(otherwise)}\``] : []),
    ...(isOurs ? ['only in Myelin'] : []),
  ]
  const line = facts.join('; ')
  return line.charAt(0).toUpperCase() + line.slice(1)
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

function unusedTexts(): readonly string[] {
  const introduction = `## Options of Synapse that Myelin does not use

They may stand in the file, and are named at the start. *Not used yet* means that Myelin is going to have it.`
  return [
    introduction,
    ...unusedOptions.map(({ title, options }) =>
      [`### ${title}`, '', ...options.map((one) => `- \`${one.key}\`: ${standingText(one)}`)].join('\n'),
    ),
  ]
}
