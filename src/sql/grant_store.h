// Roles, who has them, and privileges granted or denied by SQL statements: kept in metadb, read
// from memory. Role names are lower case. Thread safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "metadb/metadb.h"
#include "sql/analysis/access.h"
#include "sql/analysis/session.h"

namespace aichemy::sql {

struct Grantee {
  bool is_role = false;
  std::string name;
  auto operator<=>(const Grantee&) const = default;
};

struct RoleGrant {
  std::string role;
  Grantee grantee;
  bool admin = false;
};

struct PrivilegeGrant {
  AccessObject object;  // a table or view, or a schema
  std::string privilege;
  Grantee grantee;
  std::string grantor;
  bool grantable = false;
  bool denied = false;
};

class GrantStore {
 public:
  static Result<std::unique_ptr<GrantStore>> open(metadb::Database& database);

  std::vector<std::string> roles() const;
  bool has_role(const std::string& role) const;
  std::vector<RoleGrant> role_grants() const;
  std::vector<PrivilegeGrant> privileges() const;
  // All roles that are the grantee's, through others too.
  std::set<std::string> roles_of(const Grantee& grantee) const;

  Status create_role(const std::string& role);
  Status drop_role(const std::string& role);  // with all that was granted of it and to it
  Status grant_role(const RoleGrant& grant);
  // `admin_only`: ADMIN OPTION FOR.
  Status revoke_role(const RoleGrant& grant, bool admin_only);
  Status grant(const PrivilegeGrant& grant);
  Status revoke(const PrivilegeGrant& grant, bool option_only);
  // The object is gone, or has another name now.
  Status forget(const AccessObject& object);
  Status rename(const AccessObject& from, const AccessObject& to);

 private:
  struct Known {
    std::set<std::string> roles;
    std::vector<RoleGrant> role_grants;
    std::vector<PrivilegeGrant> privileges;
  };
  explicit GrantStore(metadb::Database& database) : database_(database) {}
  metadb::Database& database_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Known> known_ = std::make_shared<const Known>();
  std::mutex change_;

  std::shared_ptr<const Known> known() const;
  Status load();
  Status change(std::string_view sql, const std::vector<metadb::Cell>& values);
};

// Grants as a control: owners and the role admin may do everything, others what they were granted;
// what is denied wins. Catalogs that nobody writes to are everybody's to read. `owner_of` gives a
// schema's, table's or view's owner, "" when there is none.
using OwnerOf = std::function<Result<std::string>(const AccessObject& object)>;
std::unique_ptr<AccessControl> make_grant_control(const GrantStore& store,
                                                  std::set<std::string> open_catalogs,
                                                  OwnerOf owner_of);
inline constexpr const char* kAdminRole = "admin";

// The session's roles: all that are the user's, none, or the one asked for with what it has been
// granted. denied ("PERMISSION_DENIED") for one that is not the user's.
Result<std::set<std::string>> enabled_roles(const GrantStore* store, const Session& session);

// Each of them must agree.
std::unique_ptr<AccessControl> all_of(std::vector<const AccessControl*> controls);

}  // namespace aichemy::sql
