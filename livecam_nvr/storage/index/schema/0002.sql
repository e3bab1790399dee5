-- Merged archives, times that were wrong at first, what is written down besides the pictures, and sums by day.

ALTER TABLE segment ADD COLUMN merged INTEGER NOT NULL DEFAULT 1;   -- segments of the run that it holds
ALTER TABLE segment ADD COLUMN unsynced INTEGER NOT NULL DEFAULT 0; -- 1: began before the clock was synchronised
ALTER TABLE segment ADD COLUMN shift_ns INTEGER NOT NULL DEFAULT 0; -- how far its time was moved afterwards

-- The ledger (domain.ledger.Entry), derived from the ledger files in the cameras' folders.
CREATE TABLE entry (
    id           TEXT PRIMARY KEY,
    camera_id    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    begin_utc_ns INTEGER NOT NULL,
    end_utc_ns   INTEGER,
    data         TEXT NOT NULL       -- JSON object
) STRICT, WITHOUT ROWID;

CREATE INDEX entry_by_begin ON entry (camera_id, kind, begin_utc_ns);
-- Those that last (NULL), and the longest one: it bounds how far back one can begin that reaches into a range.
CREATE INDEX entry_by_length ON entry (camera_id, kind, end_utc_ns - begin_utc_ns);

-- Sums by local day (the one that a segment began in), kept by triggers: timelines and retention ask for them.
CREATE TABLE day (
    camera_id   TEXT NOT NULL,
    day         INTEGER NOT NULL,    -- days since 1970 in local time
    segments    INTEGER NOT NULL,
    frames      INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    PRIMARY KEY (camera_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO day
SELECT camera_id, (start_utc_ns / 1000000000 + utc_offset_s) / 86400,
       count(*), sum(frames), sum(bytes), sum(duration_ns)
FROM segment GROUP BY 1, 2;

CREATE TRIGGER segment_added AFTER INSERT ON segment BEGIN
    INSERT INTO day VALUES (new.camera_id, (new.start_utc_ns / 1000000000 + new.utc_offset_s) / 86400,
                            1, new.frames, new.bytes, new.duration_ns)
    ON CONFLICT DO UPDATE SET segments = segments + 1, frames = frames + excluded.frames,
                              bytes = bytes + excluded.bytes, duration_ns = duration_ns + excluded.duration_ns;
END;

CREATE TRIGGER segment_removed AFTER DELETE ON segment BEGIN
    UPDATE day SET segments = segments - 1, frames = frames - old.frames,
                   bytes = bytes - old.bytes, duration_ns = duration_ns - old.duration_ns
    WHERE camera_id = old.camera_id AND day = (old.start_utc_ns / 1000000000 + old.utc_offset_s) / 86400;
    DELETE FROM day WHERE camera_id = old.camera_id AND segments <= 0
        AND day = (old.start_utc_ns / 1000000000 + old.utc_offset_s) / 86400;
END;
