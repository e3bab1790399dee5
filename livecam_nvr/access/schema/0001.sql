-- What has to be one number or one key for ever. `revision` counts up with every change of anybody's rights, so that
-- no credential's name ever comes back, not even when a user is removed and made again. `ticket_key` signs tickets.
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    key TEXT PRIMARY KEY,               -- the name without regard to case
    name TEXT NOT NULL,
    password TEXT NOT NULL,             -- Argon2id, as a PHC string
    role TEXT NOT NULL,
    cameras TEXT,                       -- JSON list of ids; NULL: all
    revision INTEGER NOT NULL,
    created_utc_ns INTEGER NOT NULL,
    last_sign_in_utc_ns INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- the name without regard to case
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the secret, which has 256 random bits and needs no slow hash
    role TEXT NOT NULL,
    cameras TEXT,
    revision INTEGER NOT NULL,
    created_utc_ns INTEGER NOT NULL,
    expires_utc_ns INTEGER,
    last_used_utc_ns INTEGER,
    last_address TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user_key TEXT NOT NULL REFERENCES user (key) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the secret in the cookie
    created_utc_ns INTEGER NOT NULL,
    last_used_utc_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_of_user ON session (user_key);

INSERT INTO fact (name, value) VALUES ('revision', 0), ('ticket_key', randomblob(32));
