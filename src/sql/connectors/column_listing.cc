#include "sql/connectors/column_listing.h"

namespace aichemy::sql {

std::vector<ColumnInfo> ColumnReader::columns(const Call& call, const TableName& name, bool view) {
  if (view) {
    auto found = connector_.get_view(call, name);
    return found && *found ? (*found)->columns : std::vector<ColumnInfo>();
  }
  if (listing_) {
    if (schema_ != name.schema) {
      schema_ = name.schema;
      listed_ = listing_->list_columns(call, schema_).value_or(ColumnsByTable());
    }
    if (auto known = listed_.find(name.table); known != listed_.end())
      return std::move(known->second);
  }
  auto found = connector_.get_table(call, name);
  if (found && *found) return (*found)->columns;
  if (MaterializedViews* views = connector_.materialized_views(); found && views) {
    auto materialized = views->get(call, name);
    if (materialized && *materialized) return (*materialized)->view.columns;
  }
  return {};
}

}  // namespace aichemy::sql
