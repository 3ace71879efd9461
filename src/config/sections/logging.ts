import { oneOf, path } from '#config/kinds.ts'
import type { LogPlan } from '#config/log-plan.ts'
import { object, option } from '#config/option.ts'
import { readPythonLogging } from '#config/python-logging.ts'
import { section } from '#config/section.ts'

/** The file of Python logging settings. */
export const logConfig = option('log_config', path(), {
  doc: 'A file of Python logging settings, as Synapse has it. Its levels, handlers (console, file, rotating file) and formatters (text, JSON) are understood.',
})

/** What is written to the log, how, and where to. */
export const logging = section(
  {
    title: 'Logging',
    doc: 'What is written to the log, how, and where to. Without either option, `info` and above go to the standard error as text.',
  },
  {
    ours: option(
      'logging',
      object({
        level: option('level', oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace']), {
          default: 'info',
          doc: 'The least important lines that are written.',
        }),
        format: option('format', oneOf(['text', 'json']), {
          default: 'text',
          doc: '`text` for people, `json` for programs: one object a line.',
        }),
        file: option('file', path(), { doc: 'A file to write to, instead of the standard error.' }),
      }),
      { isOurs: true, doc: 'The log in three words.' },
    ),
    python: logConfig,
  },
  ({ ours, python }, context): LogPlan => {
    if (ours !== undefined && python !== undefined)
      context.fail(['logging'], 'Expected either logging or log_config, and got both.')
    if (python !== undefined) return readPythonLogging(python, context)
    const target = ours?.file === undefined ? ({ kind: 'stderr' } as const) : fileTarget(ours.file)
    const output = { target, format: ours?.format ?? 'text', pattern: undefined, level: undefined }
    return { level: ours?.level ?? 'info', levels: {}, outputs: [output] }
  },
)

const fileTarget = (file: string) => ({ kind: 'file', path: file, rotation: { kind: 'none' } }) as const
