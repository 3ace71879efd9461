import { Command } from 'commander'
import { VERSION } from '#server/version.ts'
import type { Terminal } from './terminal.ts'

/** The version of this Myelin, and of the Node that it runs on. */
export const versionText = (): string => `myelin ${VERSION} (Node ${process.versions.node})`

/** Prints the version. */
export const command = (terminal: Terminal): Command =>
  new Command('version').description('Print the version.').action(() => terminal.out(versionText()))
