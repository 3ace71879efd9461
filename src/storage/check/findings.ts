import type { Damage } from '#storage/counters/damage.ts'
import { finding, inBytes } from './finding.ts'

// Every finding of `myelin check-database`. Scripts know them by their names: do not change one.

const sqlOf = ({ sql }: Damage): string => sql.map((statement) => `${statement};`).join('\n')

/** A start would refuse the database: its sentence says what to do. */
export const refused = finding<{ readonly reason: string }>('refused', {
  severity: 'error',
  sentence: ({ reason }) => reason,
})
/** The server may be used, but not without care. */
export const unsafeServer = finding<{ readonly reason: string }>('unsafe_server', {
  severity: 'warning',
  sentence: ({ reason }) => reason,
})
/** Nothing is there yet. */
export const empty = finding<object>('empty', {
  severity: 'note',
  sentence: () => 'The database is empty; the first start fills it.',
})
/** The next start changes the schema. */
export const migrationsDue = finding<{ readonly count: number }>('migrations_due', {
  severity: 'note',
  sentence: ({ count }) =>
    `The next start brings the schema up to date, by ${count} migration${count === 1 ? '' : 's'}.`,
})
/** A counter is wrong, and a start stops. */
export const counterWrong = finding<Damage>('counter_wrong', {
  severity: 'error',
  sentence: ({ sentence }) => sentence,
  advice: (damage) => `Stop every Myelin, make a backup, and run:\n${sqlOf(damage)}`,
})
/** A counter is wrong, and a start mends it. */
export const counterMendable = finding<Damage>('counter_mendable', {
  severity: 'warning',
  sentence: ({ sentence }) => sentence,
  advice: () => 'Start the server anew: it mends this by itself, and says so in its log.',
})

type Setting = {
  readonly name: string
  readonly value: string
  readonly recommended: string
  readonly needsRestart: boolean
}
const alterSystem = ({ name, recommended, needsRestart }: Setting): string =>
  `psql -c "ALTER SYSTEM SET ${name} = '${recommended}'" -c "SELECT pg_reload_conf()"${needsRestart ? ', then restart PostgreSQL' : ''}`

/** A setting could be better for this machine. */
export const settingLow = finding<Setting & { readonly reason: string }>('setting_low', {
  severity: 'note',
  sentence: ({ name, value, reason }) => `${name} is ${value}: ${reason}`,
  advice: alterSystem,
})
/** A setting can exhaust the machine, or is far too small for what the database holds. */
export const settingWrong = finding<Setting & { readonly reason: string }>('setting_wrong', {
  severity: 'warning',
  sentence: ({ name, value, reason }) => `${name} is ${value}: ${reason}`,
  advice: alterSystem,
})
/** The settings could not be judged. */
export const memoryUnknown = finding<object>('memory_unknown', {
  severity: 'note',
  sentence: () => 'The database is on another machine, so that its settings cannot be held against its memory.',
  advice: () => 'myelin check-database --memory 16GB',
})
/** Rows that are gone take space. */
export const deadRows = finding<{ readonly table: string; readonly dead: number; readonly live: number }>('dead_rows', {
  severity: 'warning',
  sentence: ({ table, dead, live }) => `${table} has ${dead} dead rows beside ${live} living ones.`,
  advice: ({ table }) => `psql -c 'VACUUM (ANALYZE) ${table}', and see that autovacuum is on`,
})
/** A table takes more room than its rows need. */
export const bloat = finding<{ readonly table: string; readonly bytes: number; readonly needed: number }>('bloat', {
  severity: 'warning',
  sentence: ({ table, bytes, needed }) =>
    `${table} takes ${inBytes(bytes)}, and its rows need about ${inBytes(needed)} (an estimate).`,
  advice: ({ table }) =>
    `With the server stopped: psql -c 'VACUUM (FULL, ANALYZE) ${table}'; or pg_repack while it runs`,
})
/** A transaction keeps dead rows from being cleared away. */
export const longTransaction = finding<{
  readonly pid: number
  readonly application: string
  readonly state: string
  readonly seconds: number
}>('long_transaction', {
  severity: 'warning',
  sentence: ({ pid, application, state, seconds }) =>
    `Process ${pid} of PostgreSQL (${application || 'without a name'}, ${state}) has had a transaction open for ${seconds} seconds; until it ends no dead row is cleared away.`,
  advice: ({ pid }) => `psql -c 'SELECT pg_terminate_backend(${pid})', if nobody needs it`,
})
/** An index was not made to its end. */
export const indexInvalid = finding<{ readonly index: string }>('index_invalid', {
  severity: 'error',
  sentence: ({ index }) => `The index ${index} is not valid: its making did not end.`,
  advice: ({ index }) => `psql -c 'REINDEX INDEX CONCURRENTLY ${index}'`,
})
/** Rows that a unique index should have kept out. */
export const duplicates = finding<{
  readonly index: string
  readonly table: string
  readonly columns: string
  readonly count: number
}>('duplicates', {
  severity: 'error',
  sentence: ({ index, table, count }) =>
    `${table} has ${count} value${count === 1 ? '' : 's'} more than once that its unique index ${index} should hold once.`,
  advice: ({ index, table, columns }) =>
    `Look at them, remove the wrong rows by their ctid, and make the index anew:
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT ctid, * FROM ${table} WHERE (${columns}) IN (SELECT ${columns} FROM ${table} GROUP BY ${columns} HAVING count(*) > 1);
REINDEX INDEX ${index};`,
})
/** amcheck found an index that is damaged. */
export const indexDamaged = finding<{ readonly index: string; readonly reason: string }>('index_damaged', {
  severity: 'error',
  sentence: ({ index, reason }) => `The index ${index} is damaged: ${reason}.`,
  advice: ({ index }) =>
    `psql -c 'REINDEX INDEX CONCURRENTLY ${index}'; if it finds duplicates, run check-database --full`,
})
/** Indexes were not looked into. */
export const amcheckMissing = finding<object>('amcheck_missing', {
  severity: 'note',
  sentence: () =>
    'The indexes were not looked into: the extension amcheck is not there, or this account may not use it.',
  advice: () => "psql -c 'CREATE EXTENSION amcheck', as the owner of the server, and GRANT EXECUTE on its functions",
})
/** SQLite says that the file is damaged. */
export const fileDamaged = finding<{ readonly path: string; readonly reason: string }>('file_damaged', {
  severity: 'error',
  sentence: ({ path, reason }) => `${path} is damaged: ${reason}`,
  advice: ({ path }) =>
    `Stop the server, keep a copy of the file, and restore a backup; or save what can be read: sqlite3 ${path} .recover | sqlite3 recovered.db`,
})
/** The write-ahead log is far larger than it becomes by itself. */
export const logLarge = finding<{ readonly bytes: number }>('log_large', {
  severity: 'warning',
  sentence: ({ bytes }) => `The write-ahead log has ${inBytes(bytes)}: some program reads the database for too long.`,
  advice: () => 'End programs that read the file (fuser shows them), or restart the server',
})
/** The database was not closed. */
export const notClosed = finding<{ readonly path: string }>('not_closed', {
  severity: 'note',
  sentence: ({ path }) => `The database is open, or was not closed when the server ended: ${path} belongs to it.`,
  advice: () => 'Before copying the file: synctl stop',
})
/** Much of the file is empty. */
export const freePages = finding<{ readonly path: string; readonly free: number; readonly bytes: number }>(
  'free_pages',
  {
    severity: 'note',
    sentence: ({ free, bytes }) =>
      `${inBytes(free)} of the file's ${inBytes(bytes)} are empty, and are used again by what comes.`,
    advice: ({ path }) =>
      `To give the space back, with the server stopped: sqlite3 ${path} VACUUM (harmless to Myelin)`,
  },
)
/** The file moves its pages about. */
export const autoVacuum = finding<{ readonly path: string }>('auto_vacuum', {
  severity: 'note',
  sentence: () => 'auto_vacuum is on, which Myelin does not do and which makes writing slower. It is harmless.',
  advice: ({ path }) => `With the server stopped: sqlite3 ${path} 'PRAGMA auto_vacuum = NONE; VACUUM'`,
})
/** The disk is nearly full. */
export const diskFull = finding<{ readonly free: number }>('disk_full', {
  severity: 'warning',
  sentence: ({ free }) => `The disk of the database has only ${inBytes(free)} left.`,
  advice: () => 'Make room: a server that cannot write answers nobody',
})
