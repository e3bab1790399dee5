-- The index over the recordings folder. All of it is derived from the files and can be deleted at any time.

CREATE TABLE segment (
    path         TEXT PRIMARY KEY,   -- relative to the archive's root, forward slashes
    camera_id    TEXT NOT NULL,
    start_utc_ns INTEGER NOT NULL,   -- UTC, nanoseconds since 1970
    duration_ns  INTEGER NOT NULL,   -- by the camera's own clock
    utc_offset_s INTEGER NOT NULL,   -- local time minus UTC when it began
    frames       INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,   -- size of the file
    run_id       INTEGER NOT NULL,   -- one per run of the camera's ffmpeg
    sequence     INTEGER NOT NULL,   -- 0, 1, 2 ... within the run
    cause        TEXT NOT NULL,      -- why it ended (domain.media.EndCause)
    codec        TEXT NOT NULL,      -- RFC 6381
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX segment_by_start ON segment (camera_id, start_utc_ns);

-- The longest segment bounds how far back one can begin that reaches into a given range.
CREATE INDEX segment_by_duration ON segment (camera_id, duration_ns);

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- fact 'complete' = '1': the whole archive was scanned once since this database was made.
