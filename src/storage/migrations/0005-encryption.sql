-- Device keys as the device signed them, JSON.
CREATE TABLE device_keys (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  keys TEXT NOT NULL,
  PRIMARY KEY ("user", device_id)
); -- keyed

-- One-time keys. `pos`: of their upload, in whose order they are given out. A claimed key is kept until its device uploads without it, so that
-- an upload that is repeated does not bring it back.
CREATE TABLE one_time_keys (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key TEXT NOT NULL,
  pos BIGINT NOT NULL,
  is_claimed BOOLEAN NOT NULL,
  PRIMARY KEY ("user", device_id, algorithm, key_id)
); -- keyed
CREATE INDEX one_time_keys_order ON one_time_keys ("user", device_id, algorithm, pos, key_id) WHERE NOT is_claimed;

-- The last change of a device's one-time and fallback keys.
CREATE TABLE one_time_key_changes (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY ("user", device_id)
); -- keyed

CREATE TABLE fallback_keys (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key TEXT NOT NULL,
  is_used BOOLEAN NOT NULL,
  PRIMARY KEY ("user", device_id, algorithm)
); -- keyed

-- Usage: master, self_signing or user_signing.
CREATE TABLE cross_signing_keys (
  "user" BIGINT NOT NULL,
  usage TEXT NOT NULL,
  public_key TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY ("user", usage)
); -- keyed

-- Signatures uploaded apart from the keys they sign. Target: a device ID or a public cross-signing key.
CREATE TABLE key_signatures (
  signed_user BIGINT NOT NULL,
  target TEXT NOT NULL,
  signer BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (signed_user, target, signer, key_id)
); -- keyed

-- The last change of a user's devices or cross-signing keys.
CREATE TABLE device_list_changes (
  "user" BIGINT PRIMARY KEY,
  pos BIGINT NOT NULL
);
CREATE INDEX device_list_changes_pos ON device_list_changes (pos);

-- Messages to devices, until a token that covers them comes back.
CREATE TABLE to_device (
  "user" BIGINT NOT NULL,
  device_id TEXT NOT NULL,
  pos BIGINT NOT NULL,
  sender BIGINT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY ("user", device_id, pos)
); -- keyed

-- Versions are never used again. `count`: of its keys; `etag` rises with every change of them.
CREATE TABLE key_backups (
  "user" BIGINT NOT NULL,
  version BIGINT NOT NULL,
  algorithm TEXT NOT NULL,
  auth_data TEXT NOT NULL,
  etag BIGINT NOT NULL,
  count BIGINT NOT NULL,
  is_deleted BOOLEAN NOT NULL,
  PRIMARY KEY ("user", version)
); -- keyed

CREATE TABLE backed_up_keys (
  "user" BIGINT NOT NULL,
  version BIGINT NOT NULL,
  room_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  first_message_index BIGINT NOT NULL,
  forwarded_count BIGINT NOT NULL,
  is_verified BOOLEAN NOT NULL,
  session_data TEXT NOT NULL,
  PRIMARY KEY ("user", version, room_id, session_id)
); -- keyed
