import { Command } from 'commander'
import { logConfigYaml } from '#config/log-template.ts'
import { writeOutput } from './output-file.ts'
import type { Terminal } from './terminal.ts'

/** Settings of the log, for `log_config`. */
export const command = (terminal: Terminal): Command =>
  new Command('generate-log-config')
    .description('Print settings of the log in the form that Python and Synapse have, for log_config.')
    .option('-o, --output-file <path>', 'the file to write (default: the standard output)')
    .option('-f, --log-file <path>', 'the file that the log shall go to', '/data/homeserver.log')
    .action(({ outputFile, logFile }: { outputFile?: string; logFile: string }) => {
      writeOutput(outputFile, logConfigYaml(logFile), 0o644, terminal)
    })
