-- What the Hive Metastore front keeps beside a relation: its description as a Thrift struct without names and stop
-- byte, and the pointer that it was written for (tables of format hive have no pointer).
ALTER TABLE relations ADD COLUMN hive_definition BLOB;
ALTER TABLE relations ADD COLUMN hive_pointer TEXT NOT NULL DEFAULT '';
CREATE INDEX relations_by_lower_name ON relations (lower(name));
CREATE INDEX namespaces_by_lower_path ON namespaces (lower(path));

-- table_id is the relation's uuid: renaming a table leaves these rows alone.
CREATE TABLE hive_partitions (
  table_id TEXT NOT NULL,
  name TEXT NOT NULL,
  definition BLOB NOT NULL,
  PRIMARY KEY (table_id, name)
);

-- partition_name is '' for statistics of the whole table.
CREATE TABLE hive_statistics (
  table_id TEXT NOT NULL,
  partition_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  definition BLOB NOT NULL,
  analyzed_seconds BIGINT NOT NULL,
  PRIMARY KEY (table_id, partition_name, column_name)
);

CREATE TABLE hive_functions (
  database_name TEXT NOT NULL,
  name TEXT NOT NULL,
  definition BLOB NOT NULL,
  PRIMARY KEY (database_name, name)
);

-- Changes of namespaces, tables and partitions through any front, for clients that follow them.
CREATE TABLE hive_events (
  id BIGINT NOT NULL PRIMARY KEY,
  seconds BIGINT NOT NULL,
  kind TEXT NOT NULL,
  database_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  message TEXT NOT NULL
);
