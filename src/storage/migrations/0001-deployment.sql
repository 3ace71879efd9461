-- Portable DDL in PostgreSQL's words; `ddl.ts` of each engine translates. A table marked "keyed" is stored in the order of its primary key.
-- How released migrations are followed by others: docs/decisions/0010-schema-changes.md.
-- Numbers of rows that belong to a room (events, state keys, states) are room * 2^28 + n, n counted in the room.

CREATE TABLE deployment (
  id SMALLINT PRIMARY KEY,
  server_name TEXT NOT NULL,
  -- Changes when the database turns out to be a restored copy: tokens of another incarnation are answered like a first sync.
  incarnation BIGINT NOT NULL,
  -- The last position given, and the one that no crash can take us back behind.
  last_position BIGINT NOT NULL,
  ceiling BIGINT NOT NULL,
  -- What tells this database from a copy of it.
  mark TEXT NOT NULL,
  -- When the database server was started that gave the last position (PostgreSQL): after a crash it goes on above the ceiling.
  started_at TEXT NOT NULL,
  closed_cleanly BOOLEAN NOT NULL,
  -- Keys the fingerprints of states, so that nobody outside can forge equal sums.
  fingerprint_key BYTEA NOT NULL
);

CREATE TABLE numbers (
  name TEXT PRIMARY KEY,
  next BIGINT NOT NULL
); -- keyed

CREATE TABLE log (
  pos BIGINT PRIMARY KEY,
  kind SMALLINT NOT NULL,
  room BIGINT,
  "user" BIGINT,
  item BIGINT
);
CREATE INDEX log_room ON log (room, kind, pos) WHERE room IS NOT NULL;
CREATE INDEX log_user ON log ("user", kind, pos) WHERE "user" IS NOT NULL;

-- Batches of the last hours, by which the answer to a commit is looked up when the connection was lost before it came.
CREATE TABLE commits (
  id TEXT PRIMARY KEY,
  written_ts BIGINT NOT NULL,
  result TEXT NOT NULL
); -- keyed
CREATE INDEX commits_written ON commits (written_ts);

CREATE TABLE tasks (
  task BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  payload TEXT NOT NULL,
  -- Of tasks with the same word only one waits.
  once TEXT,
  -- Two tasks of one key never run at the same time; '' excludes nothing.
  exclusion TEXT NOT NULL,
  -- When it is to run. While it runs: until when its process has it for itself. Of one that ended: until when it is kept.
  due_ts BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  -- The process that runs it.
  runner TEXT,
  -- waiting, done or failed.
  status TEXT NOT NULL,
  result TEXT,
  error TEXT
);
CREATE INDEX tasks_due ON tasks (status, due_ts);
CREATE UNIQUE INDEX tasks_once ON tasks (once) WHERE once IS NOT NULL;
CREATE INDEX tasks_running ON tasks (exclusion) WHERE runner IS NOT NULL;
CREATE INDEX tasks_name ON tasks (name);

-- What administrators did.
CREATE TABLE audit (
  entry BIGINT PRIMARY KEY,
  written_ts BIGINT NOT NULL,
  actor BIGINT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);

INSERT INTO numbers (name, next) VALUES ('user', 1), ('room', 1), ('session', 1), ('task', 1), ('audit', 1), ('filter', 1);
