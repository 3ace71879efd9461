import pg from 'pg'
import { DatabaseRefused } from '#storage/database.ts'

type Standing = {
  readonly role: string
  readonly database: string
  /** Where new tables go; none where `search_path` names no schema that the role may use. */
  readonly schema: string | null
  readonly mayCreate: boolean | null
  /** Who owns tables of ours instead. */
  readonly owner: string | null
}

/** Refuses a database in which our role may not make tables, and one whose tables belong to another role, as after a restore by somebody else. */
export const checkRights = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<Standing>(
    `SELECT current_user AS role, current_database() AS database, current_schema() AS schema,
       has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate",
       (SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c JOIN pg_class AS ours ON ours.relnamespace = c.relnamespace
        WHERE ours.oid = to_regclass('myelin_schema') AND c.relkind = 'r' AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1) AS owner`,
  )
  const complaint = complaintOf(rows[0] as Standing)
  if (complaint !== undefined) throw new DatabaseRefused(complaint)
}

function complaintOf({ role, database, schema, mayCreate, owner }: Standing): string | undefined {
  if (schema === null || mayCreate !== true) {
    const place = schema ?? 'public'
    const made = schema === null ? `-c 'CREATE SCHEMA IF NOT EXISTS ${place}' ` : ''
    return (
      `The role ${role} may not make tables in the database ${database}, or search_path names no schema for them. As the owner of PostgreSQL, run: ` +
      `psql ${database} ${made}-c 'ALTER DATABASE "${database}" OWNER TO "${role}"' -c 'GRANT ALL ON SCHEMA "${place}" TO "${role}"'`
    )
  }
  if (owner === null) return undefined
  return (
    `Tables of the database ${database} belong to ${owner}, not to ${role}. As the owner of PostgreSQL, run: psql ${database} -c 'REASSIGN OWNED BY "${owner}" TO "${role}"'; ` +
    `where ${owner} is the owner of PostgreSQL itself, restore the dump once more with: pg_restore --no-owner --role=${role}`
  )
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** An error as it is to be told: that something is not allowed is for an administrator to mend. */
export const toldOfRights = (error: unknown): unknown =>
  error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE
    ? new DatabaseRefused(
        `PostgreSQL does not allow it: ${error.message}. All in the database must belong to the role that Myelin signs in as.`,
        { cause: error },
      )
    : error
