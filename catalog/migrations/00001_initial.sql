-- One schema for SQLite and PostgreSQL. A row exists in the snapshots begin_commit <= n < end_commit;
-- 9223372036854775807 in end_commit marks a current row.

-- +goose Up
CREATE TABLE tarn_counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO tarn_counters (name, value) VALUES ('commit', 1), ('object', 1), ('vacuum', 0);

CREATE TABLE tarn_commits (
    id            BIGINT PRIMARY KEY,
    committed_at  BIGINT NOT NULL, -- microseconds since 1970 UTC, strictly ascending
    token         TEXT NOT NULL UNIQUE,
    username      TEXT NOT NULL,
    names_changed BIGINT NOT NULL -- 1: some schema, table, view or column changed
);
INSERT INTO tarn_commits (id, committed_at, token, username, names_changed) VALUES (1, 0, 'initial', '', 1);

CREATE TABLE tarn_schemas (
    id           BIGINT NOT NULL,
    name         TEXT NOT NULL,
    location     TEXT NOT NULL,
    comment      TEXT NOT NULL,
    owner        TEXT NOT NULL,
    properties   TEXT NOT NULL, -- JSON object of strings
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (id, begin_commit)
);
CREATE UNIQUE INDEX tarn_schemas_name ON tarn_schemas (name, end_commit);
INSERT INTO tarn_schemas (id, name, location, comment, owner, properties, begin_commit, end_commit)
    VALUES (1, 'public', '', 'standard public schema', '', '{}', 1, 9223372036854775807);

CREATE TABLE tarn_tables (
    id                BIGINT NOT NULL,
    schema_id         BIGINT NOT NULL,
    name              TEXT NOT NULL,
    kind              TEXT NOT NULL, -- table, external, view
    format            TEXT NOT NULL,
    location          TEXT NOT NULL,
    comment           TEXT NOT NULL,
    owner             TEXT NOT NULL,
    properties        TEXT NOT NULL, -- JSON object of strings
    partition_columns TEXT NOT NULL, -- JSON: ids of the columns read, ids and names of those there were
    sort_columns      TEXT NOT NULL, -- JSON: ids of the columns read, ids and names of those there were
    next_column       BIGINT NOT NULL,
    view_sql          TEXT NOT NULL,
    search_path       TEXT NOT NULL, -- JSON array of strings
    begin_commit      BIGINT NOT NULL,
    end_commit        BIGINT NOT NULL,
    PRIMARY KEY (id, begin_commit)
);
CREATE UNIQUE INDEX tarn_tables_name ON tarn_tables (schema_id, name, end_commit);

CREATE TABLE tarn_columns (
    table_id     BIGINT NOT NULL,
    id           BIGINT NOT NULL,
    ordinal      BIGINT NOT NULL,
    name         TEXT NOT NULL,
    storage_name TEXT NOT NULL,
    type         TEXT NOT NULL, -- JSON
    not_null     BIGINT NOT NULL,
    default_sql  TEXT NOT NULL,
    comment      TEXT NOT NULL,
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (table_id, id, begin_commit)
);

-- What a view reads. The names are those that its text used when it was made.
CREATE TABLE tarn_dependencies (
    view_id      BIGINT NOT NULL,
    table_id     BIGINT NOT NULL,
    schema_name  TEXT NOT NULL,
    table_name   TEXT NOT NULL,
    columns      TEXT NOT NULL, -- JSON: ids of the columns read, ids and names of those there were
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (view_id, table_id, begin_commit)
);
CREATE INDEX tarn_dependencies_table ON tarn_dependencies (table_id, end_commit);

-- The newest version of each table; tarn_versions has them all.
CREATE TABLE tarn_heads (
    table_id  BIGINT PRIMARY KEY,
    version   BIGINT NOT NULL,
    commit_id BIGINT NOT NULL,
    vacuumed  BIGINT NOT NULL -- rows that ended up to this commit, and their files, may be gone
);

CREATE TABLE tarn_versions (
    table_id   BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    commit_id  BIGINT NOT NULL,
    operation  TEXT NOT NULL,
    definition BIGINT NOT NULL, -- 1: the definition changed
    row_count  BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    PRIMARY KEY (table_id, version)
);
CREATE INDEX tarn_versions_commit ON tarn_versions (commit_id);

-- A partition gets a new row whenever its files change, so (table, key, begin) names its content.
CREATE TABLE tarn_partitions (
    table_id     BIGINT NOT NULL,
    key          TEXT NOT NULL,
    row_count    BIGINT NOT NULL,
    byte_count   BIGINT NOT NULL,
    file_count   BIGINT NOT NULL,
    summary      BYTEA NOT NULL, -- packed column statistics
    sketches     BYTEA NOT NULL, -- packed sketches of distinct values
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (table_id, key, begin_commit)
);
CREATE INDEX tarn_partitions_begin ON tarn_partitions (table_id, begin_commit);
CREATE INDEX tarn_partitions_end ON tarn_partitions (table_id, end_commit);

CREATE TABLE tarn_files (
    table_id      BIGINT NOT NULL,
    partition_key TEXT NOT NULL,
    path          TEXT NOT NULL, -- relative to the table's location
    size          BIGINT NOT NULL,
    row_count     BIGINT NOT NULL,
    etag          TEXT NOT NULL,
    stats         BYTEA NOT NULL, -- packed column statistics
    begin_commit  BIGINT NOT NULL,
    end_commit    BIGINT NOT NULL,
    PRIMARY KEY (table_id, path, begin_commit)
);
CREATE INDEX tarn_files_partition ON tarn_files (table_id, partition_key, end_commit);
CREATE INDEX tarn_files_end ON tarn_files (table_id, end_commit);

-- Sketches of whole tables: estimates only, so the newest is enough.
CREATE TABLE tarn_statistics (
    table_id    BIGINT PRIMARY KEY,
    sketches    BYTEA NOT NULL,
    analyzed_at BIGINT NOT NULL
);

CREATE TABLE tarn_users (
    name         TEXT NOT NULL,
    verifier     TEXT NOT NULL, -- SCRAM-SHA-256$…, empty: no password
    superuser    BIGINT NOT NULL,
    login        BIGINT NOT NULL,
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (name, begin_commit)
);

CREATE TABLE tarn_settings (
    subject      TEXT NOT NULL, -- a user, or empty for all
    name         TEXT NOT NULL,
    value        TEXT NOT NULL,
    begin_commit BIGINT NOT NULL,
    end_commit   BIGINT NOT NULL,
    PRIMARY KEY (subject, name, begin_commit)
);

-- No snapshot from commit_id on may lose files before expires_at.
CREATE TABLE tarn_leases (
    server     TEXT PRIMARY KEY,
    commit_id  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE tarn_leases;
DROP TABLE tarn_settings;
DROP TABLE tarn_users;
DROP TABLE tarn_statistics;
DROP TABLE tarn_files;
DROP TABLE tarn_partitions;
DROP TABLE tarn_versions;
DROP TABLE tarn_heads;
DROP TABLE tarn_dependencies;
DROP TABLE tarn_columns;
DROP TABLE tarn_tables;
DROP TABLE tarn_schemas;
DROP TABLE tarn_commits;
DROP TABLE tarn_counters;
