import { Command } from 'commander'
import { formatSigningKeys, generateSigningKey } from '#config/signing-key-file.ts'
import { systemRandom } from '#util/random.ts'
import { writeOutput } from './output-file.ts'
import type { Terminal } from './terminal.ts'

/** A new key to sign with, for `signing_key_path`. */
export const command = (terminal: Terminal): Command =>
  new Command('generate-signing-key')
    .description('Make a new key for the server to sign with, for signing_key_path.')
    .option('-o, --output_file <path>', 'the file to write, for its owner and group (default: the standard output)')
    .action(({ output_file: path }: { output_file?: string }) => {
      writeOutput(path, formatSigningKeys([generateSigningKey(systemRandom)]), 0o640, terminal)
    })
