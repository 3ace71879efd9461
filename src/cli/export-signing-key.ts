import { Command } from 'commander'
import type { SigningKey } from '#config/signing-key-file.ts'
import { publicKeyOf, readSigningKeyFile, signingKeyId } from '#config/signing-key-file.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

const SIX_HOURS_MS = 6 * 3_600_000

/** The public halves of keys, to be published or kept as old keys. */
export const command = (terminal: Terminal): Command =>
  new Command('export-signing-key')
    .description('Print the public halves of signing keys.')
    .argument('<key_file...>', 'files with signing keys')
    .option('-x, --for-config', 'print entries for old_signing_keys, with the time at which the keys stop being used')
    .option('--expiry-ts <ms>', 'that time, in milliseconds since 1970 (default: in six hours)', readTime)
    .action((files: readonly string[], options: { forConfig?: true; expiryTs?: number }) => {
      const expiredTs = options.expiryTs ?? Date.now() + SIX_HOURS_MS
      for (const key of files.flatMap(keysOf))
        terminal.out(
          options.forConfig === true ? oldKeyEntry(key, expiredTs) : `${signingKeyId(key)} ${publicKeyOf(key)}`,
        )
    })

/** An entry of `old_signing_keys`. */
export const oldKeyEntry = (key: SigningKey, expiredTs: number): string =>
  `  "${signingKeyId(key)}": { key: "${publicKeyOf(key)}", expired_ts: ${expiredTs} }`

function keysOf(file: string): readonly SigningKey[] {
  const read = readSigningKeyFile(file)
  if (read === undefined) throw new CommandFailure(`There is no file ${file}.`)
  if (!read.ok) throw new CommandFailure(`${file}: ${read.reason}`)
  return read.keys
}

function readTime(text: string): number {
  const time = Number(text)
  if (!Number.isSafeInteger(time) || time < 0)
    throw new CommandFailure(`Expected milliseconds since 1970 for --expiry-ts, and got ${text}.`, 2)
  return time
}
