-- Every user of any server that a row speaks of.
CREATE TABLE users (
  "user" BIGINT PRIMARY KEY,
  user_id TEXT NOT NULL,
  is_local BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX users_id ON users (user_id);
-- Who logs in need not hit the case of letters in an old name.
CREATE INDEX users_folded ON users (lower(user_id)) WHERE is_local;

CREATE TABLE accounts (
  "user" BIGINT PRIMARY KEY,
  -- user, guest, appservice, support or bot.
  kind TEXT NOT NULL,
  appservice TEXT,
  password_hash TEXT,
  created_ts BIGINT NOT NULL,
  is_admin BOOLEAN NOT NULL,
  is_locked BOOLEAN NOT NULL,
  is_suspended BOOLEAN NOT NULL,
  is_shadow_banned BOOLEAN NOT NULL,
  is_approved BOOLEAN NOT NULL,
  is_deactivated BOOLEAN NOT NULL,
  is_erased BOOLEAN NOT NULL
);

-- Fields of profiles: displayname, avatar_url and any other. The value is JSON.
CREATE TABLE profile_fields (
  "user" BIGINT NOT NULL,
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY ("user", field)
); -- keyed

CREATE TABLE devices (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  display_name TEXT,
  created_ts BIGINT NOT NULL,
  last_seen_ts BIGINT,
  last_seen_ip TEXT,
  last_seen_user_agent TEXT,
  PRIMARY KEY ("user", device_id)
); -- keyed

-- A session outlives its tokens. Kind: legacy, oauth or appservice.
CREATE TABLE sessions (
  session BIGINT PRIMARY KEY,
  "user" BIGINT NOT NULL,
  device_id TEXT,
  kind TEXT NOT NULL,
  created_ts BIGINT NOT NULL,
  expires_ts BIGINT,
  -- When the user last showed in this session who they are, as by the password.
  authenticated_ts BIGINT
);
CREATE INDEX sessions_device ON sessions ("user", device_id);

-- Tokens are kept as SHA-256 of what the client has.
CREATE TABLE access_tokens (
  hash BYTEA PRIMARY KEY,
  session BIGINT NOT NULL,
  created_ts BIGINT NOT NULL,
  expires_ts BIGINT,
  -- The refresh token that was given with it.
  refresh BYTEA,
  -- It came by a refresh and was not used yet: when it is, the tokens before it are void.
  is_fresh BOOLEAN NOT NULL
); -- keyed
CREATE INDEX access_tokens_session ON access_tokens (session);

-- A refresh token stays good until a token it was exchanged for is used.
CREATE TABLE refresh_tokens (
  hash BYTEA PRIMARY KEY,
  session BIGINT NOT NULL,
  created_ts BIGINT NOT NULL,
  expires_ts BIGINT,
  -- The token that was exchanged for it.
  parent BYTEA,
  -- SHA-256 of the part that all refresh tokens of the session have in common, by which one that is void is known as one.
  family BYTEA
); -- keyed
CREATE INDEX refresh_tokens_session ON refresh_tokens (session);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

-- Short-lived tokens for `m.login.token`.
CREATE TABLE login_tokens (
  hash BYTEA PRIMARY KEY,
  "user" BIGINT NOT NULL,
  expires_ts BIGINT NOT NULL
); -- keyed
CREATE INDEX login_tokens_expiry ON login_tokens (expires_ts);

CREATE TABLE registration_tokens (
  token TEXT PRIMARY KEY,
  uses_allowed BIGINT,
  pending BIGINT NOT NULL,
  completed BIGINT NOT NULL,
  expires_ts BIGINT
); -- keyed

-- Interactive authentications under way. The ID is kept as its SHA-256; what was asked for is sealed with the ID, since it may hold a
-- password; which stages are done is JSON.
CREATE TABLE interactive_auths (
  id TEXT PRIMARY KEY,
  created_ts BIGINT NOT NULL,
  request TEXT NOT NULL,
  completed TEXT NOT NULL
); -- keyed
CREATE INDEX interactive_auths_created ON interactive_auths (created_ts);

CREATE INDEX sessions_expiry ON sessions (expires_ts) WHERE expires_ts IS NOT NULL;
