-- Account data, tags too (as m.tag). Room 0 stands for what belongs to no room. The content is JSON.
CREATE TABLE account_data (
  "user" BIGINT NOT NULL,
  room BIGINT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY ("user", room, type)
); -- keyed

CREATE TABLE filters (
  "user" BIGINT NOT NULL,
  filter BIGINT NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY ("user", filter)
); -- keyed
CREATE INDEX filters_number ON filters (filter);

-- Changes that a user made to the default push rules and rules of their own, as JSON.
CREATE TABLE push_rules (
  "user" BIGINT PRIMARY KEY,
  rules TEXT NOT NULL,
  -- They judge some events otherwise than the default rules do.
  is_custom BOOLEAN NOT NULL,
  pos BIGINT NOT NULL
);
CREATE INDEX push_rules_custom ON push_rules ("user") WHERE is_custom;

-- Thread: an event ID, 'main', or '' for receipts that belong to no thread.
CREATE TABLE receipts (
  room BIGINT NOT NULL,
  "user" BIGINT NOT NULL,
  type TEXT NOT NULL,
  thread TEXT NOT NULL,
  event_id TEXT NOT NULL,
  -- Where the event stands in the log (0 if it never arrived there), then its depth: a receipt never moves back.
  event_pos BIGINT NOT NULL,
  event_depth BIGINT NOT NULL,
  ts BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY (room, "user", type, thread)
); -- keyed
CREATE INDEX receipts_room ON receipts (room, pos);

-- Files of this server (origin '') and of others.
CREATE TABLE media (
  origin TEXT NOT NULL,
  media_id TEXT NOT NULL,
  uploader BIGINT,
  content_type TEXT NOT NULL,
  upload_name TEXT,
  size BIGINT NOT NULL,
  sha256 BYTEA,
  created_ts BIGINT NOT NULL,
  last_access_ts BIGINT,
  is_quarantined BOOLEAN NOT NULL,
  PRIMARY KEY (origin, media_id)
); -- keyed
CREATE INDEX media_uploader ON media (uploader, created_ts) WHERE uploader IS NOT NULL;
