import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { Draft } from '#config/homeserver-template.ts'
import { homeserverYaml } from '#config/homeserver-template.ts'
import { randomLetters, systemRandom } from '#util/random.ts'
import { collect } from './config-paths.ts'
import { makeMissingFiles } from './missing-files.ts'
import { writeNew, writeOutput } from './output-file.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

type Options = {
  readonly configDir?: string
  readonly dataDir?: string
  readonly serverName?: string
  readonly reportStats?: 'yes' | 'no'
  readonly generateSecrets?: true
  readonly secretsInConfig: boolean
  readonly outputFile?: string
  readonly headerFile?: string
  readonly configPath?: readonly string[]
  readonly openPrivatePorts?: true
  readonly enableMetrics?: true
  readonly enableRegistration?: true
  readonly databasePath?: string
  readonly logFile?: string
}

/** A new configuration: printed, or with `-c` written together with the files that it names. */
export const command = (terminal: Terminal): Command =>
  new Command('generate-config')
    .description(
      'Print a new configuration. With -c, write it there, and make the signing key, the secrets and the settings of the log that are missing.',
    )
    .option('-H, --server-name <name>', 'the part after the colon in every user ID')
    .addOption(
      new Option(
        '-c, --config-path <path>',
        'the file to write, or the configuration that has files missing',
      ).argParser(collect),
    )
    .option('-o, --output-file <path>', 'the file to print to (default: the standard output)')
    .option('--header-file <path>', 'a file to print before the configuration')
    .option('--config-dir <path>', 'the folder of keys and of settings of the log')
    .addOption(new Option('--config-directory <path>', 'the same').hideHelp())
    .option('--data-dir <path>', 'the folder of the database and of uploaded files')
    .addOption(new Option('--data-directory <path>', 'the same').hideHelp())
    .addOption(
      new Option('--report-stats <answer>', 'written down for Synapse; Myelin does not report to anybody').choices([
        'yes',
        'no',
      ]),
    )
    .option('--generate-secrets', 'print the configuration with new secrets')
    .option('--no-secrets-in-config', 'keep the secrets in files of their own')
    .option('--open-private-ports', 'listen on all addresses, rather than only for programs on this machine')
    .option('--enable-metrics', 'collect metrics')
    .option('--enable-registration', 'let everybody make an account who has a token')
    .option('-d, --database-path <path>', 'the file of the database')
    .option('-f, --log-file <path>', 'the file that the log shall go to')
    .addOption(new Option('--generate-config').hideHelp())
    .addOption(new Option('--generate-keys').hideHelp())
    .addOption(new Option('--generate-missing-configs').hideHelp())
    .action((given: Options & { configDirectory?: string; dataDirectory?: string }) => {
      const { configDirectory, dataDirectory, ...rest } = given
      const options: Options = {
        ...rest,
        ...(configDirectory === undefined ? {} : { configDir: configDirectory }),
        ...(dataDirectory === undefined ? {} : { dataDir: dataDirectory }),
      }
      if (options.configPath === undefined) print(options, terminal)
      else write(options, options.configPath, terminal)
    })

function print(options: Options, terminal: Terminal): void {
  const configDir = options.configDir ?? 'CONFDIR'
  const secret = options.generateSecrets === true && options.secretsInConfig
  const draft = draftOf(options, options.serverName ?? 'SERVERNAME', configDir, options.dataDir ?? 'DATADIR')
  const yaml = homeserverYaml(secret ? draft : { ...draft, registrationSecret: { kind: 'none' } })
  writeOutput(options.outputFile, headerOf(options) + yaml, secret ? 0o600 : 0o644, terminal)
}

function write(options: Options, paths: readonly string[], terminal: Terminal): void {
  const last = paths.at(-1)
  if (last !== undefined && !paths.some((path) => existsSync(path))) {
    if (options.serverName === undefined)
      throw new CommandFailure('There is no name for the server: give it with -H.', 2)
    const configDir = resolve(options.configDir ?? dirname(last))
    const dataDir = resolve(options.dataDir ?? '.')
    const yaml = headerOf(options) + homeserverYaml(draftOf(options, options.serverName, configDir, dataDir))
    mkdirSync(configDir, { recursive: true })
    mkdirSync(dataDir, { recursive: true })
    writeNew(last, yaml, options.secretsInConfig ? 0o600 : 0o644)
    terminal.out(`A configuration for ${options.serverName} is in ${last}. Look it over, and change what you like.`)
  } else terminal.out('The configuration exists already, and is not changed.')
  makeMissingFiles(paths, resolve(options.logFile ?? join(options.dataDir ?? '.', 'homeserver.log')), terminal)
}

function draftOf(options: Options, serverName: string, configDir: string, dataDir: string): Draft {
  return {
    serverName,
    databasePath: options.databasePath ?? join(dataDir, 'homeserver.db'),
    mediaStorePath: join(dataDir, 'media_store'),
    signingKeyPath: join(configDir, `${serverName}.signing.key`),
    pidFile: join(dataDir, 'homeserver.pid'),
    isOpenToNetwork: options.openPrivatePorts === true,
    log: { kind: 'python', path: join(configDir, `${serverName}.log.config`) },
    registrationSecret: options.secretsInConfig
      ? { kind: 'inline', value: randomLetters(systemRandom, 50) }
      : { kind: 'file', path: join(configDir, `${serverName}.registration_shared_secret`) },
    isRegistrationOpen: options.enableRegistration === true,
    areMetricsEnabled: options.enableMetrics === true,
    reportsStats: options.reportStats === undefined ? undefined : options.reportStats === 'yes',
  }
}

function headerOf({ headerFile }: Options): string {
  if (headerFile === undefined) return ''
  try {
    return `${readFileSync(headerFile, 'utf8').trimEnd()}\n\n`
  } catch (cause) {
    throw new CommandFailure(`The file ${headerFile} cannot be read: ${cause instanceof Error ? cause.message : cause}`)
  }
}
