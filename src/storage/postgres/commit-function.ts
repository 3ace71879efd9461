import { hash } from 'node:crypto'
import type { Batch, BatchRows } from '#storage/change.ts'
import { CEILING_STEP } from '#storage/counters/declared.ts'
import type { Condition, Operation } from '#storage/operation.ts'
import type { Bound, Column, RowCodec } from '#storage/row.ts'
import { conditionExpression, operationStatements } from '#storage/statement-text.ts'

/** The advisory lock that orders all commits of the deployment (advisory locks belong to one database). */
export const COMMIT_LOCK = 'pg_advisory_xact_lock(1299799404, 1)'
/** Where commits are announced: `first:last`. */
export const CHANNEL = 'myelin_log'

/** The function that writes a batch in one call, so that no client can be frozen while it holds the lock. Its name is made from its text. */
export type CommitFunction = { readonly name: string; readonly definition: string; readonly call: string }

type Declared = { readonly operations: readonly Operation[]; readonly conditions: readonly Condition[] }

/** Stands between the rows of one kind and the next: JSON never has it unescaped. */
const SEPARATOR = '\x1e'

/**
 * Writes the function for what is declared. `p_kinds` names the conditions and operations of the batch by their numbers, in order, the
 * `p_conditions` conditions first; `p_rows` has the rows of each as JSON, one after the other: a function can have no more than 100 parameters.
 */
export const commitFunction = ({ operations, conditions }: Declared): CommitFunction => {
  const parameters = [
    ...['p_id text', 'p_ts bigint', 'p_entries bigint', 'p_lanes json', 'p_log json'],
    ...['p_conditions int', 'p_kinds int[]', 'p_rows text'],
  ]
  const body = `
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $function$
DECLARE
  v_base bigint; v_ceiling bigint; v_refused int[] := '{}'; v_by text[] := '{}'; v_out json[] := '{}'; v_part json; v_result text;
  v_rows text[] := string_to_array(p_rows, chr(${SEPARATOR.charCodeAt(0)})); v_kind int; v_json json;
BEGIN
  PERFORM ${COMMIT_LOCK};
  UPDATE deployment SET last_position = CASE WHEN started_at = pg_postmaster_start_time()::text THEN last_position ELSE ceiling END + p_entries,
    started_at = pg_postmaster_start_time()::text
    RETURNING last_position - p_entries, ceiling INTO v_base, v_ceiling;
  IF v_base + p_entries > v_ceiling THEN
    PERFORM set_config('synchronous_commit', 'on', true);
    UPDATE deployment SET ceiling = v_base + p_entries + ${CEILING_STEP};
  END IF;
  FOR v_at IN 1 .. p_conditions LOOP
    v_kind := p_kinds[v_at];
    v_json := v_rows[v_at];
${chosen(conditions.map(judge))}  END LOOP;
  IF v_refused <> '{}' THEN
    SELECT v_refused || coalesce(array_agg(l.change), '{}'), v_by || coalesce(array_agg('lane'::text), '{}') INTO v_refused, v_by FROM (
      SELECT (a.position - 1)::int AS change, a.lane FROM json_array_elements_text(p_lanes) WITH ORDINALITY AS a(lane, position)
    ) AS l WHERE l.lane IS NOT NULL AND NOT l.change = ANY (v_refused) AND l.lane IN (
      SELECT b.lane FROM json_array_elements_text(p_lanes) WITH ORDINALITY AS b(lane, position) WHERE b.position - 1 = ANY (v_refused));
  END IF;
  FOR v_at IN p_conditions + 1 .. cardinality(p_kinds) LOOP
    v_kind := p_kinds[v_at];
    v_json := v_rows[v_at];
${chosen(operations.map(write))}  END LOOP;
  INSERT INTO log (pos, kind, room, "user", item)
    SELECT v_base + r.i, r.k, r.r, r.u, r.t FROM json_to_recordset(p_log) AS r(n int, i bigint, k smallint, r bigint, u bigint, t bigint)
    WHERE NOT r.n = ANY (v_refused);
  v_result := json_build_object('base', v_base, 'refused', v_refused, 'by', v_by, 'returned', array_to_json(v_out))::text;
  INSERT INTO commits (id, written_ts, result) VALUES (p_id, p_ts, v_result);
  PERFORM pg_notify('${CHANNEL}', v_base + 1 || ':' || v_base + p_entries);
  RETURN v_result;
END
$function$`
  const name = `myelin_commit_${hash('sha256', body).slice(0, 16)}`
  return {
    name,
    definition: `CREATE OR REPLACE FUNCTION ${name}(${parameters.join(', ')}) RETURNS text${body}`,
    call: `SELECT ${name}(${parameters.map((_, index) => `$${index + 1}`).join(', ')})`,
  }
}

/**
 * The statements of the kind whose number is `v_kind`. Found by halving: PostgreSQL prepares each question that is asked anew in every
 * transaction, and a hundred of them take longer than what there is to write.
 */
function chosen(statements: readonly string[], first = 0): string {
  if (statements.length <= 1) return rowByRow(statements[0] ?? '')
  const half = Math.ceil(statements.length / 2)
  const [lower, upper] = [chosen(statements.slice(0, half), first), chosen(statements.slice(half), first + half)]
  return `    IF v_kind < ${first + half} THEN\n${lower}    ELSE\n${upper}    END IF;\n`
}

const sqlType: Readonly<Record<Column<unknown>['kind'], string>> = {
  integer: 'bigint',
  position: 'bigint',
  real: 'double precision',
  text: 'text',
  bytes: 'bytea',
  boolean: 'boolean',
}

const source = (codec: RowCodec<unknown>): string => {
  const columns = codec.columns.map(({ column }, index) => `c${index} ${sqlType[column.kind]}`)
  return `json_to_recordset(v_json) AS r(n int, ${columns.join(', ')})`
}

const placeholder = (codec: RowCodec<unknown>) => (name: string) => {
  const index = codec.columns.findIndex((column) => column.name === name)
  return codec.columns[index]?.column.kind === 'position' ? `(v_base + r.c${index})` : `r.c${index}`
}

function judge(condition: Condition): string {
  const holds = conditionExpression(condition, placeholder(condition.row))
  return `    SELECT v_refused || coalesce(array_agg(r.n), '{}'), v_by || coalesce(array_agg('${condition.name}'::text), '{}') INTO v_refused, v_by
      FROM ${source(condition.row)} WHERE (${holds}) IS NOT TRUE AND NOT r.n = ANY (v_refused);
`
}

/**
 * With an `OFFSET` in it, `EXISTS` is answered by looking up each row. Without one, PostgreSQL may read the whole table into memory instead,
 * which seems cheap while the table is small, and keep to that plan when it has grown.
 */
function rowByRow(sql: string): string {
  const isExists: boolean[] = []
  const tokens = sql.split(/(EXISTS \(|[()])/).map((token) => {
    if (token === ')') return isExists.pop() === true ? ' OFFSET 0)' : token
    if (token.endsWith('(')) isExists.push(token !== '(')
    return token
  })
  return tokens.join('')
}

function write(operation: Operation): string {
  const from = {
    placeholder: placeholder(operation.row),
    source: `(SELECT * FROM ${source(operation.row)} WHERE NOT r.n = ANY (v_refused)) AS r`,
  }
  const statements = operationStatements(operation, from)
  const last = statements.pop() ?? ''
  const names = operation.returning?.columns.map(({ name }) => `d."${name}"`) ?? []
  const final =
    operation.returning === undefined
      ? `${last};`
      : `WITH d AS (${last}) SELECT json_agg(json_build_array('${operation.name}', d.n, json_build_array(${names.join(', ')}))) INTO v_part FROM d;
    IF v_part IS NOT NULL THEN v_out := v_out || v_part; END IF;`
  return `    ${[...statements.map((text) => `${text};`), final].join('\n    ')}\n`
}

/** The values of a call of the function for this batch. */
export const commitParameters = (batch: Batch, declared: Declared, ts: number): (string | number)[] => {
  const conditions = numbered(batch.conditions, declared.conditions)
  const operations = numbered(batch.operations, declared.operations)
  const parts = [...conditions, ...operations]
  return [
    batch.id,
    ts,
    batch.log.length,
    JSON.stringify(batch.lanes),
    JSON.stringify(
      batch.log.map(({ change, kind, room, user, item }, i) => ({
        n: change,
        i: i + 1,
        k: kind,
        r: room,
        u: user,
        t: item,
      })),
    ),
    conditions.length,
    `{${parts.map(({ kind }) => kind).join(',')}}`,
    parts.map(({ rows }) => rowsAsJson(rows)).join(SEPARATOR),
  ]
}

type Numbered = { readonly kind: number; readonly rows: BatchRows }

/** The rows of a batch with the numbers of their kinds, in the order of these. */
const numbered = (rows: readonly BatchRows[], kinds: readonly { readonly name: string }[]): Numbered[] =>
  rows
    .map((one) => ({ kind: kinds.findIndex(({ name }) => name === one.name), rows: one }))
    .sort((a, b) => a.kind - b.kind)

function rowsAsJson({ changes, rows }: BatchRows): string {
  const texts = rows.map((row, index) => {
    const fields = row.map((value, column) => `,"c${column}":${value === null ? 'null' : valueAsJson(value)}`)
    return `{"n":${changes[index]}${fields.join('')}}`
  })
  return `[${texts.join(',')}]`
}

const valueAsJson = (value: Exclude<Bound, null>): string => {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`
}
