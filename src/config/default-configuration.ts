import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Random, randomLetters } from '#util/random.ts'
import { homeserverYaml } from './homeserver-template.ts'
import { ensureSigningKeyFile } from './signing-key-file.ts'

/** Where the configuration is, and whether it was made just now. */
export type DefaultConfiguration = { readonly path: string; readonly isNew: boolean }

/**
 * The configuration of a server that was started without one: `localhost` on port 8008, for programs on this machine,
 * with everything in `directory`. Only the owner may look into it. What is there already is used and not changed.
 */
export function ensureDefaultConfiguration(directory: string, random: Random): DefaultConfiguration {
  const inside = (name: string): string => join(resolve(directory), name)
  const path = inside('homeserver.yaml')
  if (existsSync(path)) return { path, isNew: false }
  const serverName = 'localhost'
  const signingKeyPath = inside(`${serverName}.signing.key`)
  const secretPath = inside('registration_shared_secret')
  makePrivateFolder(resolve(directory))
  makePrivateFolder(inside('media_store'))
  ensureSigningKeyFile(signingKeyPath, random, 0o600)
  if (!existsSync(secretPath)) makePrivateFile(secretPath, `${randomLetters(random, 50)}\n`)
  // The configuration comes last: where it is, everything that it names is there as well.
  const draft = homeserverYaml({
    serverName,
    databasePath: inside('homeserver.db'),
    mediaStorePath: inside('media_store'),
    signingKeyPath,
    pidFile: undefined,
    isOpenToNetwork: false,
    log: { kind: 'ours' },
    registrationSecret: { kind: 'file', path: secretPath },
    isRegistrationOpen: false,
    areMetricsEnabled: false,
    reportsStats: undefined,
  })
  makePrivateFile(path, draft)
  return { path, isNew: true }
}

/** A folder of others is left as it is. */
function makePrivateFolder(path: string): void {
  if (existsSync(path)) return
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
}

const makePrivateFile = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
