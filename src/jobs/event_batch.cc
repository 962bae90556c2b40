#include "jobs/event_batch.h"

namespace aichemy::jobs {

std::vector<SourceColumn> dead_event_columns() {
  using sql::Type;
  using sql::TypeKind;
  return {{"topic", Type::varchar()},         {"partition", Type(TypeKind::integer)},
          {"offset", Type(TypeKind::bigint)}, {"timestamp", Type(TypeKind::timestamp_tz, 6)},
          {"key", Type(TypeKind::varbinary)}, {"value", Type(TypeKind::varbinary)},
          {"error", Type::varchar()}};
}

}  // namespace aichemy::jobs
