-- Roles and privileges that SQL statements grant. A principal's kind is USER or ROLE.
CREATE TABLE access_roles (
  name TEXT NOT NULL PRIMARY KEY
);

CREATE TABLE access_role_grants (
  role TEXT NOT NULL,
  grantee TEXT NOT NULL,
  grantee_kind TEXT NOT NULL,
  admin BIGINT NOT NULL,
  PRIMARY KEY (role, grantee, grantee_kind)
);

-- table_name is '' for a privilege on the whole schema.
CREATE TABLE access_privileges (
  catalog_name TEXT NOT NULL,
  schema_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  privilege TEXT NOT NULL,
  grantee TEXT NOT NULL,
  grantee_kind TEXT NOT NULL,
  grantor TEXT NOT NULL,
  grantable BIGINT NOT NULL,
  denied BIGINT NOT NULL,
  PRIMARY KEY (catalog_name, schema_name, table_name, privilege, grantee, grantee_kind)
);
