#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {
namespace {

// Holds the scan and, when the last copy goes, takes the handle out of the registry.
template <class Registry>
struct Registration {
  std::shared_ptr<Registry> registry;
  std::string handle;
  std::shared_ptr<const LakeScan> scan;

  Registration(std::shared_ptr<Registry> r, std::string h, std::shared_ptr<const LakeScan> s)
      : registry(std::move(r)), handle(std::move(h)), scan(std::move(s)) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    std::lock_guard lock(registry->mutex);
    registry->by_handle.erase(handle);
  }
};

}  // namespace

EngineScan LakeScans::add(std::shared_ptr<const LakeScan> scan) {
  std::string handle;
  {
    std::lock_guard lock(registry_->mutex);
    handle = "scan-" + std::to_string(registry_->next++);
    registry_->by_handle[handle] = scan;
  }
  return {handle, std::make_shared<Registration<Registry>>(registry_, handle, std::move(scan))};
}

std::shared_ptr<const LakeScan> LakeScans::find(const std::string& handle) const {
  std::lock_guard lock(registry_->mutex);
  auto found = registry_->by_handle.find(handle);
  return found == registry_->by_handle.end() ? nullptr : found->second.lock();
}

}  // namespace aichemy::sql
