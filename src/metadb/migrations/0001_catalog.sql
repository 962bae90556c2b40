-- Namespaces and relations (tables and views share names). `path` joins the levels with U+001F.
CREATE TABLE namespaces (
  id BIGINT NOT NULL PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  parent TEXT NOT NULL,
  properties TEXT NOT NULL,
  created_millis BIGINT NOT NULL
);
CREATE INDEX namespaces_by_parent ON namespaces (parent);

CREATE TABLE relations (
  namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  format TEXT NOT NULL,
  uuid TEXT NOT NULL,
  metadata_location TEXT NOT NULL,
  previous_metadata_location TEXT NOT NULL,
  version BIGINT NOT NULL,
  properties TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  updated_millis BIGINT NOT NULL,
  PRIMARY KEY (namespace_id, name)
);
