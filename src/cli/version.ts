import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { getString } from '#util/json.ts'
import type { Terminal } from './terminal.ts'

/** The version of this Myelin, and of the Node that it runs on. */
export function versionText(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return `myelin ${getString(description, 'version') ?? 'unknown'} (Node ${process.versions.node})`
}

/** Prints the version. */
export const command = (terminal: Terminal): Command =>
  new Command('version').description('Print the version.').action(() => terminal.out(versionText()))
