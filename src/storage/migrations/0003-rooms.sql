CREATE TABLE rooms (
  room BIGINT PRIMARY KEY,
  room_id TEXT NOT NULL,
  version TEXT NOT NULL,
  created_ts BIGINT NOT NULL,
  -- Counts the commits of the room: a change that was made from older knowledge is refused.
  write_number BIGINT NOT NULL,
  -- The next free numbers of the room.
  next_event BIGINT NOT NULL,
  next_state_key BIGINT NOT NULL,
  next_state BIGINT NOT NULL,
  -- n of the state in `states`; 0 while the room has none.
  current_state BIGINT NOT NULL,
  -- Forward extremities: packed numbers of events.
  extremities BYTEA NOT NULL,
  -- Joined through another server, state still arriving.
  is_partial BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX rooms_id ON rooms (room_id);

CREATE TABLE events (
  event BIGINT PRIMARY KEY,
  room BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  -- Where the event stands in the log; NULL for outliers.
  pos BIGINT,
  type TEXT NOT NULL,
  -- Number of (type, state key) in the room; NULL for message events.
  state_key BIGINT,
  sender BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  origin_server_ts BIGINT NOT NULL,
  received_ts BIGINT NOT NULL,
  is_outlier BOOLEAN NOT NULL,
  -- The rule that rejected the event.
  rejected_by TEXT,
  is_soft_failed BOOLEAN NOT NULL,
  is_backfilled BOOLEAN NOT NULL,
  -- Events before this one are missing here.
  has_gap_before BOOLEAN NOT NULL,
  redacted_by BIGINT,
  -- Event ID of the root of the thread it belongs to.
  thread TEXT,
  -- What it means to members with untouched push rules: 0 nothing, 1 notify, 3 notify and highlight.
  unread_bits SMALLINT NOT NULL,
  -- Numbers of its prev_events and auth_events, packed.
  prev_events BYTEA NOT NULL,
  auth_events BYTEA NOT NULL,
  -- n of the states before and after it; NULL while unknown.
  state_before BIGINT,
  state_after BIGINT
);
CREATE UNIQUE INDEX events_id ON events (event_id, room);
CREATE INDEX events_graph ON events (room, depth, pos);
CREATE INDEX events_unread ON events (room, pos, sender, thread, unread_bits) WHERE unread_bits <> 0;
CREATE INDEX events_thread ON events (room, thread, pos) WHERE thread IS NOT NULL;

-- The event as it came, canonical JSON.
CREATE TABLE event_json (
  event BIGINT PRIMARY KEY,
  json TEXT NOT NULL
);

CREATE TABLE relations (
  room BIGINT NOT NULL,
  target TEXT NOT NULL,
  rel_type TEXT NOT NULL,
  event BIGINT NOT NULL,
  sender BIGINT NOT NULL,
  type TEXT NOT NULL,
  aggregation_key TEXT,
  PRIMARY KEY (room, target, rel_type, event)
); -- keyed
CREATE UNIQUE INDEX relations_event ON relations (event);

-- Redactions by what they redact, which may come later than they.
CREATE TABLE redactions (
  room BIGINT NOT NULL,
  target TEXT NOT NULL,
  event BIGINT NOT NULL,
  PRIMARY KEY (room, target, event)
); -- keyed

-- Events that others name as parents and that are not here, by the child.
CREATE TABLE missing_events (
  room BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  child BIGINT NOT NULL,
  PRIMARY KEY (room, event_id, child)
); -- keyed

-- The room's own numbers of (type, state key).
CREATE TABLE state_keys (
  key BIGINT PRIMARY KEY,
  room BIGINT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT NOT NULL
);
CREATE UNIQUE INDEX state_keys_name ON state_keys (room, type, state_key);

-- Immutable, structurally shared states: the fingerprint and the nodes that this state adds (`state-trie/`).
CREATE TABLE states (
  state BIGINT PRIMARY KEY,
  fingerprint BYTEA NOT NULL,
  -- Only received and resolved states are looked up by fingerprint; for them it stands here too.
  findable BYTEA,
  nodes BYTEA NOT NULL
);
CREATE INDEX states_findable ON states (findable) WHERE findable IS NOT NULL;

-- What the current state was from which position on.
CREATE TABLE current_states (
  room BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  state BIGINT NOT NULL,
  PRIMARY KEY (room, pos)
); -- keyed

-- Current membership events of all users, local and remote.
CREATE TABLE memberships (
  room BIGINT NOT NULL,
  "user" BIGINT NOT NULL,
  membership TEXT NOT NULL,
  event BIGINT NOT NULL,
  -- Where the last membership event stands in the log, and the first of those that said the same.
  pos BIGINT NOT NULL,
  since_pos BIGINT NOT NULL,
  -- The user has left and asked not to see the room any more.
  is_forgotten BOOLEAN NOT NULL,
  PRIMARY KEY (room, "user")
); -- keyed
CREATE INDEX memberships_user ON memberships ("user", membership);

-- Local aliases and what they name.
CREATE TABLE aliases (
  alias TEXT PRIMARY KEY,
  room BIGINT NOT NULL,
  creator BIGINT NOT NULL,
  created_ts BIGINT NOT NULL
); -- keyed
CREATE INDEX aliases_room ON aliases (room);

-- What a transaction ID of a device brought about, so that a repeated request gives the same answer. `answer` is what the endpoint needs to
-- give it; `event` the event that was sent, so that its sender recognises it. Not keyed: each index of such a table holds the whole key.
CREATE TABLE transactions (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  path TEXT NOT NULL,
  txn_id TEXT NOT NULL,
  answer TEXT NOT NULL,
  event BIGINT,
  written_ts BIGINT NOT NULL,
  PRIMARY KEY ("user", device_id, path, txn_id)
);
CREATE INDEX transactions_event ON transactions (event) WHERE event IS NOT NULL;
CREATE INDEX transactions_written ON transactions (written_ts);

-- Unread marks of members whose verdict differs from the one on the event.
CREATE TABLE unread_marks (
  "user" BIGINT NOT NULL,
  room BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  thread TEXT,
  -- What to add to the counts of those with untouched rules: -1, 0 or 1.
  notify SMALLINT NOT NULL,
  highlight SMALLINT NOT NULL,
  PRIMARY KEY ("user", room, pos)
); -- keyed
