#include "sql/analysis/access.h"

#include <fmt/format.h>

#include <algorithm>

namespace aichemy::sql {
namespace {

constexpr ActionRow kActions[] = {
    {Action::show_schemas, Right::visible, false, "Cannot show schemas"},
    {Action::show_tables, Right::visible, false, "Cannot show tables of schema {0}"},
    {Action::show_columns, Right::visible, false, "Cannot show columns of table {0}"},
    {Action::show_create_schema, Right::own_schema, true, "Cannot show create schema for {0}"},
    {Action::show_create_table, Right::own, true, "Cannot show create table for {0}"},
    {Action::create_schema, Right::own_schema, true, "Cannot create schema {0}"},
    {Action::drop_schema, Right::own_schema, true, "Cannot drop schema {0}"},
    {Action::rename_schema, Right::own_schema, true, "Cannot rename schema from {0} to {1}"},
    {Action::schema_authorization, Right::own_schema, true,
     "Cannot set authorization for schema {0} to {1}"},
    {Action::create_table, Right::create, true, "Cannot create table {0}"},
    {Action::drop_table, Right::own, true, "Cannot drop table {0}"},
    {Action::rename_table, Right::own, true, "Cannot rename table from {0} to {1}"},
    {Action::set_properties, Right::own, true, "Cannot set table properties to {0}"},
    {Action::table_authorization, Right::own, true,
     "Cannot set authorization for table {0} to {1}"},
    {Action::comment_table, Right::own, true, "Cannot comment table to {0}"},
    {Action::comment_column, Right::own, true, "Cannot comment column to {0}"},
    {Action::add_column, Right::own, true, "Cannot add a column to table {0}"},
    {Action::drop_column, Right::own, true, "Cannot drop a column from table {0}"},
    {Action::rename_column, Right::own, true, "Cannot rename a column in table {0}"},
    {Action::alter_column, Right::own, true, "Cannot alter a column for table {0}"},
    {Action::insert, Right::insert, true, "Cannot insert into table {0}"},
    {Action::remove, Right::remove, true, "Cannot delete from table {0}"},
    {Action::truncate, Right::remove, true, "Cannot truncate table {0}"},
    {Action::update, Right::update, true, "Cannot update columns [{1}] in table {0}"},
    {Action::create_view, Right::create, true, "Cannot create view {0}"},
    {Action::drop_view, Right::own, true, "Cannot drop view {0}"},
    {Action::rename_view, Right::own, true, "Cannot rename view from {0} to {1}"},
    {Action::refresh_view, Right::own, true, "Cannot refresh view {0}"},
    {Action::comment_view, Right::own, true, "Cannot comment view to {0}"},
    {Action::view_authorization, Right::own, true, "Cannot set authorization for view {0} to {1}"},
    {Action::execute_table_procedure, Right::own, true,
     "Cannot execute table procedure {1} on {0}"},
    {Action::execute_procedure, Right::none, true, "Cannot execute procedure {0}"},
    {Action::grant, Right::own, true, "Cannot grant privilege {1} on {2} {0}"},
    {Action::revoke, Right::own, true, "Cannot revoke privilege {1} on {2} {0}"},
    {Action::deny, Right::own, true, "Cannot deny privilege {1} on {2} {0}"},
    {Action::create_role, Right::administer, false, "Cannot create role {1}"},
    {Action::drop_role, Right::administer, false, "Cannot drop role {1}"},
    {Action::grant_roles, Right::administer, false, "Cannot grant roles {1}"},
    {Action::revoke_roles, Right::administer, false, "Cannot revoke roles {1}"},
    {Action::system_property, Right::none, false, "Cannot set system session property {1}"},
    {Action::catalog_property, Right::none, false, "Cannot set catalog session property {0}.{1}"},
    {Action::execute_query, Right::none, false, "Cannot execute query"},
    {Action::kill_query, Right::kill, false, "Cannot kill query"},
    {Action::create_function, Right::create, true, "Cannot create function {0}"},
    {Action::execute_function, Right::none, false, "Cannot execute function {0}"},
    {Action::drop_function, Right::own_schema, true, "Cannot drop function {1}"},
    {Action::show_create_function, Right::own_schema, true, "Cannot show create function for {1}"},
    {Action::impersonate, Right::none, false, "User {0} cannot impersonate user {1}"},
};

}  // namespace

const ActionRow& action_row(Action action) {
  return *std::ranges::find(kActions, action, &ActionRow::action);
}

std::string AccessObject::text() const {
  std::string made = catalog;
  if (!schema.empty()) made += "." + schema;
  if (!table.empty()) made += "." + table;
  return made;
}

std::unexpected<Error> access_denied(const std::string& message) {
  return fail(Code::denied, "PERMISSION_DENIED", "Access Denied: " + message);
}

Status check_access(const AccessControl* control, const Identity& who, Action action,
                    const AccessObject& object, const std::string& detail) {
  if (!control) return {};
  const ActionRow& row = action_row(action);
  ASSIGN_OR_RETURN(bool allowed, control->allows(who, row.right, row.writes, object));
  if (allowed) {
    ASSIGN_OR_RETURN(allowed, control->allows_action(who, action, object, detail));
  }
  if (allowed) return {};
  const char* kind = object.table.empty() ? "schema" : "table";
  return access_denied(fmt::format(fmt::runtime(row.message), object.text(), detail, kind));
}

Status check_columns(const AccessControl* control, const Identity& who, const AccessObject& table,
                     const std::set<std::string>& columns, const std::string* view_owner) {
  if (!control) return {};
  bool others = view_owner && *view_owner != who.user;
  Identity as = who;
  if (view_owner) as.user = *view_owner;
  ASSIGN_OR_RETURN(bool allowed, control->allows_columns(as, table, columns, others));
  if (allowed) return {};
  if (others) {
    ASSIGN_OR_RETURN(bool reads, control->allows_columns(as, table, columns, false));
    if (reads) {
      return access_denied(fmt::format("View owner '{}' cannot create view that selects from {}",
                                       as.user, table.text()));
    }
  }
  return access_denied("Cannot select from table " + table.text());
}

}  // namespace aichemy::sql
