/** Settings of Python's logging that both Synapse and Myelin read: a file that is changed at midnight, warnings also to the standard error. */
export const logConfigYaml = (
  logFile: string,
): string => `# What is written to the log, in the form that Python's logging.config.dictConfig reads.
# Myelin takes the levels, the handlers for console and files, and the formatters from it.
version: 1

formatters:
  # The classes synapse.logging.JsonFormatter and synapse.logging.TerseJsonFormatter give JSON instead.
  precise:
    format: '%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s'

handlers:
  file:
    class: logging.handlers.TimedRotatingFileHandler
    formatter: precise
    filename: ${JSON.stringify(logFile)}
    when: midnight
    # How many old files are kept.
    backupCount: 3
    encoding: utf8
  # Lines for the file are gathered, and written together.
  buffer:
    class: synapse.logging.handlers.PeriodicallyFlushingMemoryHandler
    target: file
    capacity: 10
    # Not held back: warnings (30) and worse.
    flushLevel: 30
    # Not held back for longer, in seconds.
    period: 5
  console:
    class: logging.StreamHandler
    formatter: precise
    level: WARNING

loggers:
  synapse.storage.SQL:
    # At DEBUG, access tokens come into the log.
    level: INFO

root:
  level: INFO
  # To write to the standard error alone, put \`console\` here.
  handlers: [buffer, console]

disable_existing_loggers: false
`
