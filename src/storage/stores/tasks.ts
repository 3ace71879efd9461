import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, optional, row, text } from '#storage/row.ts'
import { oneOfText, sql, textValue } from '#storage/sql.ts'

/** What became of a task so far. A waiting one may be running. */
export type TaskStatus = 'waiting' | 'done' | 'failed'

const NEW_TASK = row({
  task: integer(),
  name: text(),
  payload: jsonText(),
  once: optional(text()),
  exclusion: text(),
  dueTs: integer(),
  attempts: integer(),
  status: text<TaskStatus>(),
})

const scope = ({ task }: { readonly task: number }) => `task:${task}`

/** A task is to be done. If one waits with the same `once`, nothing is added. */
export const taskAdded = operation('task_added', {
  row: NEW_TASK,
  statement: { insert: 'tasks', ignoreExisting: true },
  scope: ({ task, once }) => (once === undefined ? `task:${task}` : `task once:${once}`),
  fold: 'next batch',
})

/** A process takes a task for itself until `dueTs`. */
export const taskClaimed = operation('task_claimed', {
  row: row({ task: integer(), runner: text(), dueTs: integer(), keepsOnce: boolean() }),
  statement: {
    update: 'tasks',
    set: `runner = :runner, due_ts = :due_ts, attempts = t.attempts + 1,
      once = CASE WHEN :keeps_once THEN t.once END`,
    where: 't.task = :task',
  },
  scope,
  fold: 'next batch',
})

/** The process that runs a task needs it for longer. */
export const taskHeld = operation('task_held', {
  row: row({ task: integer(), runner: text(), dueTs: integer() }),
  statement: { update: 'tasks', set: 'due_ts = :due_ts', where: 't.task = :task AND t.runner = :runner' },
  scope,
  fold: 'last wins',
})

/** A task is to run (again) at that time. */
export const taskPutBack = operation('task_put_back', {
  row: row({
    task: integer(),
    runner: text(),
    dueTs: integer(),
    attempts: integer(),
    payload: jsonText(),
    error: optional(text()),
  }),
  statement: {
    update: 'tasks',
    set: 'runner = NULL, due_ts = :due_ts, attempts = :attempts, payload = :payload, error = :error',
    where: 't.task = :task AND t.runner = :runner',
  },
  scope,
  fold: 'next batch',
})

/** A task came to its end and is kept for those who ask how it went. */
export const taskEnded = operation('task_ended', {
  row: row({
    task: integer(),
    runner: text(),
    status: text<TaskStatus>(),
    /** Until then it is kept. */
    dueTs: integer(),
    result: optional(jsonText()),
    error: optional(text()),
  }),
  statement: {
    update: 'tasks',
    set: 'runner = NULL, status = :status, due_ts = :due_ts, result = :result, error = :error',
    where: 't.task = :task AND t.runner = :runner',
  },
  scope,
  fold: 'next batch',
})

/** A task came to its end, and nobody asks. */
export const taskRemoved = operation('task_removed', {
  row: row({ task: integer(), runner: text() }),
  statement: { remove: 'tasks', where: 't.task = :task AND t.runner = :runner' },
  scope,
  fold: 'next batch',
})

/** Tasks that ended and were kept for long enough go. */
export const endedTasksRemoved = operation('ended_tasks_removed', {
  row: row({ before: integer() }),
  statement: { remove: 'tasks', where: "t.status <> 'waiting' AND t.due_ts < :before" },
  scope: () => 'ended tasks',
  fold: 'last wins',
})

/** The task waits as it was when somebody looked. */
export const taskWaits = condition('task_waits', {
  row: row({ task: integer(), dueTs: integer() }),
  holds: "EXISTS (SELECT 1 FROM tasks WHERE task = :task AND due_ts = :due_ts AND status = 'waiting')",
  scope,
})

/** The task is still this process's: its time did not run out, or nobody else has taken it yet. */
export const taskIsHeld = condition('task_is_held', {
  row: row({ task: integer(), runner: text() }),
  holds: 'EXISTS (SELECT 1 FROM tasks WHERE task = :task AND runner = :runner)',
  scope,
})

/** No other task of this exclusion is run by any process now. */
export const exclusionFree = condition('exclusion_free', {
  row: row({ task: integer(), exclusion: text(), now: integer() }),
  holds: `NOT EXISTS (SELECT 1 FROM tasks
    WHERE exclusion = :exclusion AND runner IS NOT NULL AND task <> :task AND due_ts > :now)`,
  scope: ({ exclusion }) => `task exclusion:${exclusion}`,
})

const DUE = row({
  task: integer(),
  name: text(),
  payload: jsonText(),
  exclusion: text(),
  dueTs: integer(),
  attempts: integer(),
})
/** A task that may be run. */
export type DueTask = (typeof DUE)['out']

/** Tasks of these names that are due at `now`, those first that have waited longest. One whose process has let it go is among them. */
export const dueTasks = (
  db: Reader,
  names: readonly string[],
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<DueTask[]> =>
  db.all(
    DUE,
    sql`SELECT ${DUE} FROM tasks WHERE status = 'waiting' AND due_ts <= ${now} AND name ${oneOfText(names)}
      ORDER BY due_ts, task LIMIT ${limit}`,
  )

const WHEN = row({ dueTs: integer() })
/** When the next task after `now` is due. */
export const nextDueTs = async (db: Reader, now: number): Promise<number | undefined> =>
  (
    await db.get(
      WHEN,
      sql`SELECT ${WHEN} FROM tasks WHERE status = 'waiting' AND due_ts > ${now} ORDER BY due_ts LIMIT 1`,
    )
  )?.dueTs

const ONCE = row({ once: text() })
/** Those of the words for which a task waits. */
export const waitingOnce = async (db: Reader, words: readonly string[]): Promise<ReadonlySet<string>> => {
  const rows = await db.all(ONCE, sql`SELECT ${ONCE} FROM tasks WHERE once ${oneOfText(words)}`)
  return new Set(rows.map(({ once }) => once))
}

/** A task as those see it who ask how it goes. */
export const TASK_STATE = row({
  task: integer(),
  name: text(),
  payload: jsonText(),
  status: text<TaskStatus>(),
  runner: optional(text()),
  attempts: integer(),
  dueTs: integer(),
  result: optional(jsonText()),
  error: optional(text()),
})
export type TaskState = (typeof TASK_STATE)['out']

/** How a task goes, or `undefined` where there is none of that number. */
export const taskState = (db: Reader, task: number): Promise<TaskState | undefined> =>
  db.get(TASK_STATE, sql`SELECT ${TASK_STATE} FROM tasks WHERE task = ${task}`)

/** Tasks of a name that have not been removed, the newest first; at most `limit`. */
export const tasksOfName = (db: Reader, name: string, limit: number): Promise<TaskState[]> =>
  db.all(
    TASK_STATE,
    sql`SELECT ${TASK_STATE} FROM tasks WHERE name = ${textValue(name)} ORDER BY task DESC LIMIT ${limit}`,
  )
