-- SQL routines that CREATE FUNCTION stores. signature holds the types of the parameters; owner is NULL
-- for SECURITY INVOKER; path is that of the session which made the routine.
CREATE TABLE sql_routines (
  catalog_name TEXT NOT NULL,
  schema_name TEXT NOT NULL,
  name TEXT NOT NULL,
  signature TEXT NOT NULL,
  sql TEXT NOT NULL,
  path TEXT NOT NULL,
  owner TEXT,
  PRIMARY KEY (catalog_name, schema_name, name, signature)
);
