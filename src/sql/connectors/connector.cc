// What a connector answers for statements it does not know.
#include "sql/connectors/connector.h"

#include "sql/connectors/table_change.h"

namespace aichemy::sql {
namespace {

std::unexpected<Error> not_supported(const std::string& what) {
  return fail(Code::unsupported, "NOT_SUPPORTED", "This connector does not support " + what);
}

const char* what_of(TableChange::Kind kind) {
  switch (kind) {
    case TableChange::Kind::add_column: return "adding columns";
    case TableChange::Kind::drop_column: return "dropping columns";
    case TableChange::Kind::rename_column: return "renaming columns";
    case TableChange::Kind::set_type: return "setting column types";
    case TableChange::Kind::set_default: return "setting default values";
    case TableChange::Kind::drop_not_null: return "dropping a not null constraint";
    case TableChange::Kind::set_properties: return "setting table properties";
    case TableChange::Kind::set_owner: return "setting an owner on a table";
    case TableChange::Kind::comment: return "setting table comments";
    case TableChange::Kind::column_comment: return "setting column comments";
  }
  return "this change";
}

}  // namespace

Status Connector::change_table(const Call&, const TableName&, const TableChange& change) {
  return not_supported(what_of(change.kind));
}
Status Connector::change_view(const Call&, const TableName&, const TableChange& change) {
  switch (change.kind) {
    case TableChange::Kind::set_owner: return not_supported("setting an owner on a view");
    case TableChange::Kind::comment: return not_supported("setting view comments");
    default: return not_supported("setting view column comments");
  }
}
Status Connector::rename_table(const Call&, const TableName&, const TableName&) {
  return not_supported("renaming tables");
}
Status Connector::rename_view(const Call&, const TableName&, const TableName&) {
  return not_supported("renaming views");
}
Status Connector::rename_schema(const Call&, const std::string&, const std::string&) {
  return not_supported("renaming schemas");
}
Status Connector::set_schema_owner(const Call&, const std::string&, const std::string&, bool) {
  return not_supported("setting an owner on a schema");
}
Result<std::string> Connector::schema_owner(const Call&, const std::string&) {
  return std::string();
}
Result<std::vector<BranchInfo>> Connector::list_branches(const Call&, const TableName&) {
  return not_supported("branches");
}
Status Connector::change_branch(const Call&, const TableName&, const BranchChange&) {
  return not_supported("branches");
}
const std::vector<Procedure>& Connector::procedures() const {
  static const std::vector<Procedure> kNone;
  return kNone;
}
Result<ProcedureMetrics> Connector::run_procedure(const Call&, const ProcedureCall&) {
  return not_supported("table procedures");
}
Result<std::unique_ptr<Insert>> Connector::begin_rewrite(const Call&, const TableRef&,
                                                         const RewriteRequest&) {
  return not_supported("table procedures");
}
Result<TableStatistics> Connector::statistics(const Call&, const TableRef&) {
  return TableStatistics{};
}

Status Connector::store_distinct(const Call&, const TableRef&, const std::vector<DistinctHashes>&) {
  return not_supported("analyze");
}

}  // namespace aichemy::sql
