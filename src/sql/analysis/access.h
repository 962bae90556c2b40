// Who may do what: asked by the analyzer for what a query reads and by the executor for everything
// else. Several controls may stand one behind the other; each must agree. Thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace aichemy::sql {

struct Identity {
  std::string user;
  std::set<std::string> roles;  // enabled ones
};

// The right an action needs on its object.
enum class Right : uint8_t {
  none,     // everybody may
  visible,  // any right on it or on something in it
  select,
  insert,
  remove,  // DELETE
  update,
  own,  // of a table or view
  own_schema,
  create,  // a table or view in a schema
  kill,
  administer,
};

enum class Action : uint8_t {
  show_schemas,
  show_tables,
  show_columns,
  show_create_schema,
  show_create_table,
  create_schema,
  drop_schema,
  rename_schema,
  schema_authorization,
  create_table,
  drop_table,
  rename_table,
  set_properties,
  table_authorization,
  comment_table,
  comment_column,
  add_column,
  drop_column,
  rename_column,
  alter_column,
  insert,
  remove,
  truncate,
  update,
  create_view,
  drop_view,
  rename_view,
  refresh_view,
  comment_view,
  view_authorization,
  execute_table_procedure,
  execute_procedure,
  grant,
  revoke,
  deny,
  create_role,
  drop_role,
  grant_roles,
  revoke_roles,
  system_property,
  catalog_property,
  execute_query,
  kill_query,
  impersonate,
  create_function,
  drop_function,
  show_create_function,
  execute_function,
};

struct ActionRow {
  Action action;
  Right right;
  bool writes;          // needs the whole catalog, not only reading
  const char* message;  // {0}: the object, {1}: the detail
};
const ActionRow& action_row(Action action);

// Parts are empty where the object ends: a catalog, a schema of it, a table or view in that.
struct AccessObject {
  std::string catalog, schema, table;
  std::string text() const;
};

// An expression over a table's columns, as SQL.
struct RowExpression {
  std::string sql;
  std::optional<std::string> user;  // whom current_user means in it
};
struct RowRules {
  std::vector<RowExpression> filters;
  std::map<std::string, RowExpression> masks;  // by column
};

class AccessControl {
 public:
  virtual ~AccessControl() = default;
  // Whether the right is there; `detail` is the action's: a role, a property, a column.
  virtual Result<bool> allows(const Identity& who, Right right, bool writes,
                              const AccessObject& object) const = 0;
  // Actions whose answer is not a right on an object.
  virtual Result<bool> allows_action(const Identity& who, Action action, const AccessObject& object,
                                     const std::string& detail) const = 0;
  // `grant`: through a view that runs as its owner, for somebody else.
  virtual Result<bool> allows_columns(const Identity& who, const AccessObject& table,
                                      const std::set<std::string>& columns, bool grant) const = 0;
  // Those of a table that the user must not know of.
  virtual std::set<std::string> hidden_columns(const Identity&, const AccessObject&) const {
    return {};
  }
  virtual RowRules row_rules(const Identity& who, const AccessObject& table) const = 0;
  // The groups that rules know the user by.
  virtual std::set<std::string> groups(const Identity&) const { return {}; }
};

// denied ("PERMISSION_DENIED") in Trino's words.
std::unexpected<Error> access_denied(const std::string& message);
Status check_access(const AccessControl* control, const Identity& who, Action action,
                    const AccessObject& object, const std::string& detail = "");
Status check_columns(const AccessControl* control, const Identity& who, const AccessObject& table,
                     const std::set<std::string>& columns, const std::string* view_owner);

}  // namespace aichemy::sql
