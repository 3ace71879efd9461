import { readConninfo } from './conninfo.ts'
import { keywordOf, keywords, pythonOnly } from './keywords.ts'
import { findService } from './service-file.ts'

/** Something about the parameters that cannot be: which one, where it was given, and why. */
export type Problem = { readonly keyword: string; readonly origin: string; readonly sentence: string }

/** What parameters are looked for besides those given. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string>>
  readonly home: string | undefined
  /** The name of the account that runs the program. */
  readonly account: string | undefined
  /** The folder of Unix sockets, where no host is given. */
  readonly socketFolder: string
  /** The text of a file; `undefined` where there is none. */
  readonly readFile: (path: string) => string | undefined
}

/** The value of each parameter, and where it came from. */
export type Given = {
  /** `undefined` where nothing or an empty text was given. */
  readonly text: (keyword: string) => string | undefined
  readonly number: (keyword: string) => number | undefined
  readonly oneOf: (keyword: string, otherwise: string) => string
  readonly originOf: (keyword: string) => string
}

type Found = Map<string, { readonly value: string; readonly origin: string }>

/** Collects every parameter: as given, else from the service, else from the environment. Complains about what cannot be used. */
export const gather = (
  args: Readonly<Record<string, string>>,
  surroundings: Surroundings,
  problems: Problem[],
): Given => {
  const found: Found = new Map()
  putArguments(args, found, problems)
  putService(found, surroundings, problems)
  putEnvironment(found, surroundings.environment)
  for (const [keyword, { value, origin }] of found) {
    const sentence = keywordOf(keyword)?.judge(value)
    if (sentence !== undefined) problems.push({ keyword, origin, sentence })
  }
  const text = (keyword: string) => found.get(keyword)?.value || undefined
  return {
    text,
    number: (keyword) => (text(keyword) === undefined ? undefined : Number(text(keyword))),
    oneOf: (keyword, otherwise) => text(keyword) ?? otherwise,
    originOf: (keyword) => found.get(keyword)?.origin ?? keyword,
  }
}

function putArguments({ dsn, ...others }: Readonly<Record<string, string>>, found: Found, problems: Problem[]): void {
  for (const [name, value] of Object.entries(others)) {
    // As in the Python driver.
    const keyword = name === 'database' ? 'dbname' : name
    const sentence = found.has(keyword) ? 'Expected either database or dbname.' : judgeName(name)
    if (sentence === undefined) found.set(keyword, { value, origin: name })
    else problems.push({ keyword, origin: name, sentence })
  }
  const read = dsn === undefined ? undefined : readConninfo(dsn)
  if (read?.ok === false) problems.push({ keyword: 'dsn', origin: 'dsn', sentence: read.sentence })
  if (read?.ok === true)
    for (const [keyword, value] of read.settings) putIfNew(found, keyword, value, `${keyword} in dsn`)
}

/** Why nothing of that name can be given; `undefined` where it can. */
export const judgeName = (name: string): string | undefined => {
  if (Object.hasOwn(pythonOnly, name)) return pythonOnly[name]
  const isKnown = name === 'database' || name === 'dsn' || keywordOf(name) !== undefined
  return isKnown ? undefined : `There is no connection parameter ${name}.`
}

function putIfNew(found: Found, keyword: string, value: string, origin: string): void {
  if (!found.has(keyword)) found.set(keyword, { value, origin })
}

function putService(found: Found, { environment, home, readFile }: Surroundings, problems: Problem[]): void {
  const name = found.get('service')?.value || environment['PGSERVICE']
  if (!name) return
  const fail = (sentence: string) =>
    problems.push({ keyword: 'service', origin: found.get('service')?.origin ?? 'PGSERVICE', sentence })
  const named = found.get('servicefile')?.value || environment['PGSERVICEFILE']
  if (named && readFile(named) === undefined) {
    fail(`The service file ${named} is not there, or cannot be read.`)
    return
  }
  const files = serviceFiles(named, environment, home)
  for (const file of files) {
    const service = findService(readFile(file) ?? '', name)
    if (service.kind === 'missing') continue
    if (service.kind === 'bad') fail(`${file}: ${service.sentence}`)
    else putAll(found, service.settings, `of the service ${name} in ${file}`)
    return
  }
  fail(`There is no service ${name} in ${files.join(' or ')}.`)
}

function serviceFiles(
  named: string | undefined,
  environment: Readonly<Record<string, string>>,
  home: string | undefined,
): readonly string[] {
  const system = `${environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common'}/pg_service.conf`
  const own = named || (home === undefined ? undefined : `${home}/.pg_service.conf`)
  return own === undefined ? [system] : [own, system]
}

function putAll(found: Found, settings: ReadonlyMap<string, string>, origin: string): void {
  for (const [keyword, value] of settings) putIfNew(found, keyword, value, `${keyword} ${origin}`)
}

function putEnvironment(found: Found, environment: Readonly<Record<string, string>>): void {
  for (const { name, variable } of keywords) {
    const value = variable === undefined ? undefined : environment[variable]
    if (variable !== undefined && value !== undefined) putIfNew(found, name, value, variable)
  }
  // An old way to say it, which libpq still hears.
  if (environment['PGREQUIRESSL']?.startsWith('1')) putIfNew(found, 'sslmode', 'require', 'PGREQUIRESSL')
}
