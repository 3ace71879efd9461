/**
 * The version of the schema that this code writes: the number of the newest migration.
 *
 * 1 the deployment, its log, tasks; 2 accounts and sessions; 3 rooms, events, state; 4 user data and media; 5 encryption.
 */
export const SCHEMA_VERSION = 5
/** The oldest schema version whose code can still run on a database of this version. */
export const COMPATIBLE_WITH = 5
