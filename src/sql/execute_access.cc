// Roles, grants and denials; who may run a statement.
#include <fmt/format.h>

#include <algorithm>

#include "sql/engine/engine_errors.h"
#include "sql/grant_store.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

using Kind = AccessClause::Kind;

constexpr std::string_view kReservedRoles[] = {"all",          "default", "none", "null",
                                               "current_role", "public",  "admin"};
constexpr const char* kTablePrivileges[] = {"DELETE", "INSERT", "SELECT", "UPDATE"};
constexpr const char* kSchemaPrivileges[] = {"CREATE", "DELETE", "INSERT", "SELECT", "UPDATE"};

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

Grantee grantee_of(const Principal& principal) {
  bool role = principal.kind == Principal::Kind::role;
  return {role, role ? principal.name.lower() : principal.name.text};
}

TextTable names_table(const char* column, const std::set<std::string>& names) {
  TextTable table{{{column, Type::varchar()}}, {}};
  for (const auto& name : names) table.rows.push_back({Json(name)});
  return table;
}

}  // namespace

// Nothing is enabled that was not granted; the header's role has been asked for by the client.
Result<std::set<std::string>> enabled_roles(const GrantStore* store, const Session& session) {
  std::set<std::string> roles;
  if (!store || session.role == "NONE") return roles;
  std::set<std::string> granted = store->roles_of({false, session.user});
  if (session.user == kAdminRole) granted.insert(kAdminRole);
  if (!session.role.starts_with("ROLE{")) return granted;
  std::string role = lower_case(session.role.substr(5, session.role.size() - 6));
  if (!granted.contains(role)) return access_denied("Cannot set role " + role);
  roles = store->roles_of({true, role});
  roles.insert(role);
  return roles;
}

Status StatementRun::allowed(Action action, const ResolvedName& name, const std::string& detail) {
  return check_access(options_.access, {session_.user, session_.roles}, action,
                      {name.catalog, name.schema, name.table}, detail);
}

Status StatementRun::allowed_schema(Action action, const ResolvedName& name,
                                    const std::string& detail) {
  return check_access(options_.access, {session_.user, session_.roles}, action,
                      {name.catalog, name.schema, ""}, detail);
}

bool StatementRun::sees(const AccessObject& object) const {
  if (!options_.access) return true;
  auto seen =
      options_.access->allows({session_.user, session_.roles}, Right::visible, false, object);
  return seen && *seen;
}

Result<StatementResult> StatementRun::access(const Statement& s) {
  const AccessClause& clause = *s.access;
  if (!options_.grants)
    return semantic_error("NOT_SUPPORTED", s.at, "roles and grants are not kept here");
  if (clause.catalog) {
    std::string catalog = clause.catalog->lower();
    if (!catalogs_.contains(catalog)) {
      return semantic_error("CATALOG_NOT_FOUND", s.at,
                            fmt::format("Catalog '{}' not found", catalog));
    }
    return semantic_error("NOT_SUPPORTED", s.at,
                          fmt::format("Catalog '{}' does not support role management", catalog));
  }
  switch (clause.kind) {
    case Kind::create_role:
    case Kind::drop_role: return role_statement(s);
    case Kind::grant_roles:
    case Kind::revoke_roles: return grant_roles(s);
    case Kind::grant:
    case Kind::revoke:
    case Kind::deny: return grant_privileges(s);
    case Kind::show_grants: return show_grants(s);
    case Kind::show_roles: {
      std::vector<std::string> all = options_.grants->roles();
      std::set<std::string> names(all.begin(), all.end());
      names.insert(kAdminRole);
      return table_result(names_table("Role", names), "SELECT");
    }
    case Kind::show_current_roles:
      return table_result(names_table("Role", session_.roles), "SELECT");
    case Kind::show_role_grants: {
      std::set<std::string> names;
      for (const auto& grant : options_.grants->role_grants()) {
        if (grant.grantee == Grantee{false, session_.user}) names.insert(grant.role);
      }
      return table_result(names_table("Role Grants", names), "SELECT");
    }
  }
  return update_result("ACCESS");
}

Result<StatementResult> StatementRun::role_statement(const Statement& s) {
  const AccessClause& clause = *s.access;
  GrantStore& store = *options_.grants;
  std::string role = clause.names[0].lower();
  bool create = clause.kind == Kind::create_role;
  RETURN_IF_ERROR(allowed(create ? Action::create_role : Action::drop_role, {}, role));
  StatementResult done = update_result(create ? "CREATE ROLE" : "DROP ROLE");
  if (!create) {
    if (!store.has_role(role)) {
      if (s.if_exists) return done;
      return semantic_error("ROLE_NOT_FOUND", s.at, fmt::format("Role '{}' does not exist", role));
    }
    if (role == kAdminRole)
      return semantic_error("NOT_SUPPORTED", s.at, "The role admin cannot be dropped");
    RETURN_IF_ERROR(store.drop_role(role));
    return done;
  }
  if (store.has_role(role) && role != kAdminRole) {
    return semantic_error("ROLE_ALREADY_EXISTS", s.at,
                          fmt::format("Role '{}' already exists", role));
  }
  if (std::ranges::find(kReservedRoles, role) != std::end(kReservedRoles)) {
    return semantic_error("NOT_SUPPORTED", s.at, fmt::format("Role name '{}' is reserved", role));
  }
  RETURN_IF_ERROR(store.create_role(role));
  bool named = clause.grantor && clause.grantor->name.text != "CURRENT_USER";
  Grantee admin = named ? grantee_of(*clause.grantor) : Grantee{false, session_.user};
  RETURN_IF_ERROR(store.grant_role({role, admin, true}));
  return done;
}

// Whoever holds a role with the admin option may hand it on.
Status StatementRun::may_hand_on(Action action, const std::string& role) {
  Identity who{session_.user, session_.roles};
  for (const auto& grant : options_.grants->role_grants()) {
    bool own = grant.grantee.is_role ? who.roles.contains(grant.grantee.name)
                                     : grant.grantee.name == who.user;
    if (own && grant.admin && grant.role == role) return {};
  }
  return allowed(action, {}, role);
}

Result<StatementResult> StatementRun::grant_roles(const Statement& s) {
  const AccessClause& clause = *s.access;
  GrantStore& store = *options_.grants;
  bool revoke = clause.kind == Kind::revoke_roles;
  for (const auto& name : clause.names) {
    std::string role = name.lower();
    if (!store.has_role(role)) {
      return semantic_error("ROLE_NOT_FOUND", s.at, fmt::format("Role '{}' does not exist", role));
    }
    RETURN_IF_ERROR(may_hand_on(revoke ? Action::revoke_roles : Action::grant_roles, role));
    for (const auto& principal : clause.principals) {
      Grantee grantee = grantee_of(principal);
      if (grantee.is_role && !store.has_role(grantee.name)) {
        return semantic_error("ROLE_NOT_FOUND", s.at,
                              fmt::format("Role '{}' does not exist", grantee.name));
      }
      bool circle = grantee.is_role &&
                    (grantee.name == role || store.roles_of({true, role}).contains(grantee.name));
      if (circle && !revoke) {
        return semantic_error("INVALID_ARGUMENTS", s.at,
                              fmt::format("Role '{}' would be granted to itself", role));
      }
      RoleGrant grant{role, grantee, clause.option};
      RETURN_IF_ERROR(revoke ? store.revoke_role(grant, clause.option) : store.grant_role(grant));
    }
  }
  return update_result(revoke ? "REVOKE ROLE" : "GRANT ROLE");
}

Result<StatementResult> StatementRun::grant_privileges(const Statement& s) {
  const AccessClause& clause = *s.access;
  GrantStore& store = *options_.grants;
  bool on_schema = clause.entity == "SCHEMA";
  ResolvedName name;
  if (on_schema) {
    ASSIGN_OR_RETURN(name, analyzer_.resolve_schema(s.name, s.at));
    ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
    if (!exists) {
      return semantic_error(
          "SCHEMA_NOT_FOUND", s.at,
          fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema));
    }
  } else {
    ASSIGN_OR_RETURN(name, analyzer_.resolve_table(s.name, s.at));
    ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (!table && !view) return no_such_table(s, name, "");
  }
  std::vector<std::string> known;
  if (on_schema)
    known.assign(std::begin(kSchemaPrivileges), std::end(kSchemaPrivileges));
  else
    known.assign(std::begin(kTablePrivileges), std::end(kTablePrivileges));
  std::vector<std::string> wanted = clause.all ? known : std::vector<std::string>();
  for (const auto& privilege : clause.names) {
    std::string word = upper_case(privilege.text);
    if (std::ranges::find(known, word) == known.end()) {
      return semantic_error("INVALID_PRIVILEGE", s.at,
                            fmt::format("Unknown privilege: '{}'", word));
    }
    wanted.push_back(std::move(word));
  }
  Action action = clause.kind == Kind::grant    ? Action::grant
                  : clause.kind == Kind::revoke ? Action::revoke
                                                : Action::deny;
  AccessObject object{name.catalog, name.schema, on_schema ? "" : name.table};
  Grantee grantee = grantee_of(clause.principals[0]);
  if (grantee.is_role && grantee.name != "public" && !store.has_role(grantee.name)) {
    return semantic_error("ROLE_NOT_FOUND", s.at,
                          fmt::format("Role '{}' does not exist", grantee.name));
  }
  for (const auto& privilege : wanted) {
    RETURN_IF_ERROR(may_grant(action, object, privilege));
    PrivilegeGrant grant{object,        privilege,     grantee,
                         session_.user, clause.option, clause.kind == Kind::deny};
    RETURN_IF_ERROR(clause.kind == Kind::revoke ? store.revoke(grant, clause.option)
                                                : store.grant(grant));
  }
  return update_result(clause.kind == Kind::grant    ? "GRANT"
                       : clause.kind == Kind::revoke ? "REVOKE"
                                                     : "DENY");
}

// Owners, and whoever was granted the privilege with the grant option.
Status StatementRun::may_grant(Action action, const AccessObject& object,
                               const std::string& privilege) {
  if (action != Action::deny) {
    for (const auto& grant : options_.grants->privileges()) {
      bool own = grant.grantee.is_role ? session_.roles.contains(grant.grantee.name)
                                       : grant.grantee.name == session_.user;
      bool covers = grant.object.catalog == object.catalog &&
                    grant.object.schema == object.schema &&
                    (grant.object.table.empty() || grant.object.table == object.table);
      if (own && covers && grant.grantable && !grant.denied && grant.privilege == privilege)
        return {};
    }
  }
  ResolvedName name;
  name.catalog = object.catalog;
  name.schema = object.schema;
  name.table = object.table;
  return allowed(action, name, privilege);
}

Result<StatementResult> StatementRun::show_grants(const Statement& s) {
  const AccessClause& clause = *s.access;
  std::optional<AccessObject> only;
  std::string catalog = session_.catalog.value_or("");
  if (!s.name.empty() && clause.entity == "SCHEMA") {
    ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(s.name, s.at));
    only = AccessObject{name.catalog, name.schema, ""};
  } else if (!s.name.empty()) {
    ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
    ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (!table && !view) return no_such_table(s, name, "");
    only = AccessObject{name.catalog, name.schema, name.table};
  } else if (catalog.empty()) {
    return semantic_error("MISSING_CATALOG_NAME", s.at,
                          "Catalog must be specified when session catalog is not set");
  }
  TextTable table;
  for (const char* column : {"Grantor", "Grantor Type", "Grantee", "Grantee Type", "Catalog",
                             "Schema", "Table", "Privilege", "Grantable", "With Hierarchy"})
    table.columns.push_back({column, Type::varchar()});
  for (const auto& grant : options_.grants->privileges()) {
    if (grant.denied || (!only && grant.object.catalog != catalog)) continue;
    bool same = only && only->catalog == grant.object.catalog &&
                only->schema == grant.object.schema && only->table == grant.object.table;
    if ((only && !same) || !sees(grant.object)) continue;
    table.rows.push_back({Json(grant.grantor), Json("USER"), Json(grant.grantee.name),
                          Json(grant.grantee.is_role ? "ROLE" : "USER"), Json(grant.object.catalog),
                          Json(grant.object.schema),
                          grant.object.table.empty() ? Json() : Json(grant.object.table),
                          Json(grant.privilege), Json(grant.grantable ? "YES" : "NO"), Json()});
  }
  return table_result(std::move(table), "SELECT");
}

}  // namespace aichemy::sql
