-- Statements that people of the console keep. version counts the changes; shared is 0 or 1.
CREATE TABLE console_queries (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  sql TEXT NOT NULL,
  schema_name TEXT NOT NULL,
  shared BIGINT NOT NULL,
  version BIGINT NOT NULL,
  changed_millis BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  UNIQUE (owner, name)
);

-- Who changed what through the console and its API. Rows are added and, from the oldest on, forgotten;
-- never changed. outcome is '' for what was done, else the code of the refusal.
CREATE TABLE console_audit (
  number BIGINT NOT NULL PRIMARY KEY,
  at_millis BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  operation TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL,
  outcome TEXT NOT NULL,
  request TEXT NOT NULL
);
