#include "sql/grant_store.h"

#include <algorithm>
#include <functional>

namespace aichemy::sql {
namespace {

const char* kind_of(const Grantee& grantee) { return grantee.is_role ? "ROLE" : "USER"; }

std::vector<metadb::Cell> key_of(const PrivilegeGrant& grant) {
  return {grant.object.catalog, grant.object.schema, grant.object.table,
          grant.privilege,      grant.grantee.name,  kind_of(grant.grantee)};
}

constexpr const char* kWherePrivilege =
    " WHERE catalog_name = $1 AND schema_name = $2 AND table_name = $3 AND privilege = $4 AND "
    "grantee = $5 AND grantee_kind = $6";

}  // namespace

Result<std::unique_ptr<GrantStore>> GrantStore::open(metadb::Database& database) {
  std::unique_ptr<GrantStore> made(new GrantStore(database));
  RETURN_IF_ERROR(made->load());
  return made;
}

std::shared_ptr<const GrantStore::Known> GrantStore::known() const {
  std::lock_guard lock(mutex_);
  return known_;
}

Status GrantStore::load() {
  auto made = std::make_shared<Known>();
  RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto roles, transaction.query("SELECT name FROM access_roles"));
    for (const auto& row : roles) made->roles.insert(row[0].as_text());
    ASSIGN_OR_RETURN(auto grants,
                     transaction.query("SELECT role, grantee, grantee_kind, admin FROM "
                                       "access_role_grants ORDER BY role, grantee_kind, grantee"));
    for (const auto& row : grants) {
      made->role_grants.push_back(
          {row[0].as_text(), {row[2].as_text() == "ROLE", row[1].as_text()}, row[3].as_int() != 0});
    }
    ASSIGN_OR_RETURN(
        auto privileges,
        transaction.query("SELECT catalog_name, schema_name, table_name, privilege, grantee, "
                          "grantee_kind, grantor, grantable, denied FROM access_privileges "
                          "ORDER BY catalog_name, schema_name, table_name, grantee, privilege"));
    for (const auto& row : privileges) {
      made->privileges.push_back({{row[0].as_text(), row[1].as_text(), row[2].as_text()},
                                  row[3].as_text(),
                                  {row[5].as_text() == "ROLE", row[4].as_text()},
                                  row[6].as_text(),
                                  row[7].as_int() != 0,
                                  row[8].as_int() != 0});
    }
    return {};
  }));
  std::lock_guard lock(mutex_);
  known_ = std::move(made);
  return {};
}

Status GrantStore::change(std::string_view sql, const std::vector<metadb::Cell>& values) {
  std::lock_guard turn(change_);
  RETURN_IF_ERROR(database_.transaction([&](metadb::Transaction& transaction) -> Status {
    auto done = transaction.run(sql, values);
    if (!done) return std::unexpected(done.error());
    return {};
  }));
  return load();
}

std::vector<std::string> GrantStore::roles() const {
  auto now = known();
  return {now->roles.begin(), now->roles.end()};
}
bool GrantStore::has_role(const std::string& role) const {
  return role == kAdminRole || known()->roles.contains(role);
}
std::vector<RoleGrant> GrantStore::role_grants() const { return known()->role_grants; }
std::vector<PrivilegeGrant> GrantStore::privileges() const { return known()->privileges; }

std::set<std::string> GrantStore::roles_of(const Grantee& grantee) const {
  auto now = known();
  std::set<std::string> found;
  std::vector<Grantee> open{grantee};
  while (!open.empty()) {
    Grantee at = std::move(open.back());
    open.pop_back();
    for (const auto& grant : now->role_grants) {
      if (grant.grantee == at && found.insert(grant.role).second)
        open.push_back({true, grant.role});
    }
  }
  return found;
}

Status GrantStore::create_role(const std::string& role) {
  return change("INSERT INTO access_roles (name) VALUES ($1)", {role});
}

Status GrantStore::drop_role(const std::string& role) {
  RETURN_IF_ERROR(
      change("DELETE FROM access_privileges WHERE grantee = $1 AND grantee_kind = "
             "'ROLE'",
             {role}));
  RETURN_IF_ERROR(
      change("DELETE FROM access_role_grants WHERE role = $1 OR (grantee = $1 AND "
             "grantee_kind = 'ROLE')",
             {role}));
  return change("DELETE FROM access_roles WHERE name = $1", {role});
}

Status GrantStore::grant_role(const RoleGrant& grant) {
  // A grant without the option leaves one with it as it is.
  return change(
      "INSERT INTO access_role_grants (role, grantee, grantee_kind, admin) VALUES ($1, "
      "$2, $3, $4) ON CONFLICT (role, grantee, grantee_kind) DO UPDATE SET admin = "
      "CASE WHEN excluded.admin > access_role_grants.admin THEN excluded.admin ELSE "
      "access_role_grants.admin END",
      {grant.role, grant.grantee.name, kind_of(grant.grantee), grant.admin});
}

Status GrantStore::revoke_role(const RoleGrant& grant, bool admin_only) {
  std::string where = " WHERE role = $1 AND grantee = $2 AND grantee_kind = $3";
  return change(
      (admin_only ? "UPDATE access_role_grants SET admin = 0" : "DELETE FROM access_role_grants") +
          where,
      {grant.role, grant.grantee.name, kind_of(grant.grantee)});
}

Status GrantStore::grant(const PrivilegeGrant& grant) {
  auto values = key_of(grant);
  values.emplace_back(grant.grantor);
  values.emplace_back(grant.grantable);
  values.emplace_back(grant.denied);
  return change(
      "INSERT INTO access_privileges (catalog_name, schema_name, table_name, privilege, "
      "grantee, grantee_kind, grantor, grantable, denied) VALUES ($1, $2, $3, $4, $5, "
      "$6, $7, $8, $9) ON CONFLICT (catalog_name, schema_name, table_name, privilege, "
      "grantee, grantee_kind) DO UPDATE SET grantor = excluded.grantor, grantable = "
      "CASE WHEN excluded.denied = 0 AND access_privileges.denied = 0 AND "
      "access_privileges.grantable > excluded.grantable THEN "
      "access_privileges.grantable ELSE excluded.grantable END, "
      "denied = excluded.denied",
      values);
}

Status GrantStore::revoke(const PrivilegeGrant& grant, bool option_only) {
  return change(std::string(option_only ? "UPDATE access_privileges SET grantable = 0"
                                        : "DELETE FROM access_privileges") +
                    kWherePrivilege,
                key_of(grant));
}

Status GrantStore::forget(const AccessObject& object) {
  std::string sql = "DELETE FROM access_privileges WHERE catalog_name = $1 AND schema_name = $2";
  std::vector<metadb::Cell> values{object.catalog, object.schema};
  if (!object.table.empty()) {
    sql += " AND table_name = $3";
    values.emplace_back(object.table);
  }
  return change(sql, values);
}

Status GrantStore::rename(const AccessObject& from, const AccessObject& to) {
  std::string sql =
      "UPDATE access_privileges SET schema_name = $1 WHERE catalog_name = $2 AND schema_name = $3";
  std::vector<metadb::Cell> values{to.schema, from.catalog, from.schema};
  if (!from.table.empty()) {
    sql =
        "UPDATE access_privileges SET schema_name = $1, table_name = $4 WHERE catalog_name = $2 "
        "AND schema_name = $3 AND table_name = $5";
    values.emplace_back(to.table);
    values.emplace_back(from.table);
  }
  return change(sql, values);
}

namespace {

class GrantControl final : public AccessControl {
 public:
  GrantControl(const GrantStore& store, std::set<std::string> open, OwnerOf owner_of)
      : store_(store), open_(std::move(open)), owner_of_(std::move(owner_of)) {}

  Result<bool> allows(const Identity& who, Right right, bool writes,
                      const AccessObject& object) const override {
    if (right == Right::none || is_admin(who)) return true;
    if (right == Right::administer) return false;
    if (right == Right::kill) return true;  // decided by allows_action
    if (everybodys(object) && !writes) return true;
    if (object.schema.empty()) return right == Right::visible;
    ASSIGN_OR_RETURN(bool owner, owns(who, object));
    switch (right) {
      case Right::visible:
        if (owner || object.table.empty()) return true;
        return granted(who, object, nullptr);
      case Right::select: return granted_or(owner, who, object, "SELECT");
      case Right::insert: return granted_or(owner, who, object, "INSERT");
      case Right::remove: return granted_or(owner, who, object, "DELETE");
      case Right::update: return granted_or(owner, who, object, "UPDATE");
      case Right::create: {
        AccessObject schema{object.catalog, object.schema, ""};
        ASSIGN_OR_RETURN(bool schema_owner, owns(who, schema));
        return granted_or(owner || schema_owner, who, schema, "CREATE");
      }
      default: return owner;
    }
  }

  Result<bool> allows_action(const Identity& who, Action action, const AccessObject& object,
                             const std::string& detail) const override {
    if (is_admin(who)) return true;
    switch (action) {
      case Action::create_schema: return false;
      case Action::kill_query: return detail == who.user;
      case Action::impersonate: return false;
      case Action::execute_procedure: return object.catalog == "system";
      default: return true;
    }
  }

  Result<bool> allows_columns(const Identity& who, const AccessObject& table,
                              const std::set<std::string>&, bool grant) const override {
    if (everybodys(table) || is_admin(who)) return true;
    ASSIGN_OR_RETURN(bool owner, owns(who, table));
    if (owner && !is_denied(who, table, "SELECT")) return true;
    return granted(who, table, "SELECT", grant);
  }

  RowRules row_rules(const Identity&, const AccessObject&) const override { return {}; }

 private:
  const GrantStore& store_;
  std::set<std::string> open_;
  OwnerOf owner_of_;

  static bool is_admin(const Identity& who) {
    return who.user == kAdminRole || who.roles.contains(kAdminRole);
  }
  bool everybodys(const AccessObject& object) const {
    return open_.contains(object.catalog) || object.schema == "information_schema";
  }

  Result<bool> owns(const Identity& who, const AccessObject& object) const {
    ASSIGN_OR_RETURN(std::string owner, owner_of_(object));
    return !owner.empty() && (owner == who.user || who.roles.contains(owner));
  }

  static bool is_of(const Identity& who, const Grantee& grantee) {
    if (!grantee.is_role) return grantee.name == who.user;
    return grantee.name == "public" || who.roles.contains(grantee.name);
  }
  static bool covers(const PrivilegeGrant& grant, const AccessObject& object) {
    return grant.object.catalog == object.catalog && grant.object.schema == object.schema &&
           (grant.object.table.empty() || grant.object.table == object.table);
  }

  bool is_denied(const Identity& who, const AccessObject& object, const char* privilege) const {
    return std::ranges::any_of(store_.privileges(), [&](const auto& grant) {
      return grant.denied && grant.privilege == privilege && covers(grant, object) &&
             is_of(who, grant.grantee);
    });
  }

  // nullptr: any privilege.
  bool granted(const Identity& who, const AccessObject& object, const char* privilege,
               bool grantable = false) const {
    if (privilege && is_denied(who, object, privilege)) return false;
    return std::ranges::any_of(store_.privileges(), [&](const auto& grant) {
      return !grant.denied && (!privilege || grant.privilege == privilege) &&
             (!grantable || grant.grantable) && covers(grant, object) && is_of(who, grant.grantee);
    });
  }
  bool granted_or(bool owner, const Identity& who, const AccessObject& object,
                  const char* privilege) const {
    if (owner) return !is_denied(who, object, privilege);
    return granted(who, object, privilege);
  }
};

class AllOf final : public AccessControl {
 public:
  explicit AllOf(std::vector<const AccessControl*> controls) : controls_(std::move(controls)) {}

  Result<bool> allows(const Identity& who, Right right, bool writes,
                      const AccessObject& object) const override {
    return each([&](const AccessControl& c) { return c.allows(who, right, writes, object); });
  }
  Result<bool> allows_action(const Identity& who, Action action, const AccessObject& object,
                             const std::string& detail) const override {
    return each(
        [&](const AccessControl& c) { return c.allows_action(who, action, object, detail); });
  }
  Result<bool> allows_columns(const Identity& who, const AccessObject& table,
                              const std::set<std::string>& columns, bool grant) const override {
    return each(
        [&](const AccessControl& c) { return c.allows_columns(who, table, columns, grant); });
  }
  std::set<std::string> groups(const Identity& who) const override {
    std::set<std::string> all;
    for (const auto* control : controls_) all.merge(control->groups(who));
    return all;
  }
  std::set<std::string> hidden_columns(const Identity& who,
                                       const AccessObject& table) const override {
    std::set<std::string> all;
    for (const auto* control : controls_) all.merge(control->hidden_columns(who, table));
    return all;
  }
  RowRules row_rules(const Identity& who, const AccessObject& table) const override {
    RowRules all;
    for (const auto* control : controls_) {
      RowRules rules = control->row_rules(who, table);
      all.filters.insert(all.filters.end(), rules.filters.begin(), rules.filters.end());
      all.masks.merge(rules.masks);
    }
    return all;
  }

 private:
  std::vector<const AccessControl*> controls_;

  template <class Ask>
  Result<bool> each(Ask ask) const {
    for (const auto* control : controls_) {
      ASSIGN_OR_RETURN(bool allowed, ask(*control));
      if (!allowed) return false;
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<AccessControl> make_grant_control(const GrantStore& store,
                                                  std::set<std::string> open_catalogs,
                                                  OwnerOf owner_of) {
  return std::make_unique<GrantControl>(store, std::move(open_catalogs), std::move(owner_of));
}

std::unique_ptr<AccessControl> all_of(std::vector<const AccessControl*> controls) {
  return std::make_unique<AllOf>(std::move(controls));
}

}  // namespace aichemy::sql
