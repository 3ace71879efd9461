/**
 * Completes `package-lock.json` with the optional packages of other platforms that the registry at hand could not
 * answer for. `npm install` leaves those out silently, and `npm ci` then refuses the whole file. Run it after every
 * `npm install`; `--check` only says what is missing.
 */

import { readFileSync, writeFileSync } from 'node:fs'

interface LockedPackage {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

type LockedPackages = Record<string, LockedPackage>

const LOCK = new URL('../package-lock.json', import.meta.url)

/** Where `name`, wanted by the package at `path`, is found: beside it, or in a folder above. */
const resolved = (packages: LockedPackages, path: string, name: string): LockedPackage | undefined => {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]
    if (found !== undefined || folder === '') {
      return found
    }
  }
}

/** The platform that a package is made for, by the words of its name. */
const platformOf = (name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> => {
  const words = name.split(/[/-]/)
  const os = ['android', 'darwin', 'freebsd', 'linux'].find((word) => words.includes(word)) ?? 'win32'
  const cpu = ['arm64', 'x64', 'ia32', 'ppc64', 'arm'].find((word) => words.includes(word))
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return { os: [os], ...(cpu && { cpu: [cpu] }), ...(libc && { libc }) }
}

/** Whether a locked version answers a wish; wishes of this kind are one version or a caret before it. */
const answers = (found: LockedPackage | undefined, wish: string): boolean =>
  found?.version !== undefined && found.version.split('.')[0] === wish.replace(/^\D+/, '').split('.')[0]

/** The entries that are missing, by their path. */
const missingFrom = (packages: LockedPackages): LockedPackages => {
  const missing: LockedPackages = {}
  for (const [path, owner] of Object.entries(packages)) {
    for (const [name, wish] of Object.entries(owner.optionalDependencies ?? {})) {
      if (answers(resolved(packages, path, name), wish)) {
        continue
      }
      const top = `node_modules/${name}`
      const at = packages[top] === undefined ? top : `${path}/${top}`
      const version = wish.replace(/^\D+/, '')
      missing[at] = { version, ...(owner.dev && { dev: true }), optional: true, ...platformOf(name) }
    }
  }
  return missing
}

const lock = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: LockedPackages }
const missing = missingFrom(lock.packages)
const paths = Object.keys(missing)
for (const path of paths) {
  console.log(`missing from package-lock.json: ${path} ${missing[path]?.version}`)
}
if (process.argv.includes('--check')) {
  process.exitCode = paths.length === 0 ? 0 : 1
} else if (paths.length > 0) {
  const entries = Object.entries({ ...lock.packages, ...missing })
  entries.sort(([left], [right]) => (left < right ? -1 : 1))
  lock.packages = Object.fromEntries(entries)
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`)
}
