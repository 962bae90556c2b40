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

sql::EngineScan EventScans::add(std::shared_ptr<EventBatch> batch) {
  return add_scan({std::move(batch), false});
}

sql::EngineScan EventScans::add_dead(std::shared_ptr<EventBatch> batch) {
  return add_scan({std::move(batch), true});
}

sql::EngineScan EventScans::add_scan(Scan scan) {
  sql::EngineScan out;
  {
    std::lock_guard lock(registry_->mutex);
    out.handle = "events-" + std::to_string(registry_->next++);
    registry_->by_handle[out.handle] = std::move(scan);
  }
  out.function = "event_scan";
  auto forget = [registry = registry_](std::string* handle) {
    {
      std::lock_guard lock(registry->mutex);
      registry->by_handle.erase(*handle);
    }
    delete handle;
  };
  out.keep = std::shared_ptr<std::string>(new std::string(out.handle), forget);
  return out;
}

std::optional<EventScans::Scan> EventScans::find(const std::string& handle) const {
  std::lock_guard lock(registry_->mutex);
  auto found = registry_->by_handle.find(handle);
  if (found == registry_->by_handle.end()) return std::nullopt;
  return found->second;
}

}  // namespace aichemy::jobs
