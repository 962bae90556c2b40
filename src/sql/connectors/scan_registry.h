// Handles for scans that the engine can run: a connector adds what it planned and gets a handle;
// the renderer writes function('<handle>'); the engine's table function looks it up. Thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "sql/connectors/connector.h"

namespace aichemy::sql {

template <class Scan>
class ScanRegistry {
 public:
  // `function` is the engine's table function; handles begin with `prefix`.
  ScanRegistry(const char* function, const char* prefix) : function_(function), prefix_(prefix) {}

  // The scan stays registered until `keep` and every running statement let go of it.
  EngineScan add(std::shared_ptr<const Scan> scan) {
    EngineScan out;
    out.function = function_;
    {
      std::lock_guard lock(registry_->mutex);
      out.handle = prefix_ + std::to_string(registry_->next++);
      registry_->by_handle[out.handle] = scan;
    }
    auto held = std::make_unique<Registration>(registry_, out.handle, std::move(scan));
    out.keep = std::shared_ptr<void>(std::move(held));
    return out;
  }

  std::shared_ptr<const Scan> find(const std::string& handle) const {
    std::lock_guard lock(registry_->mutex);
    auto found = registry_->by_handle.find(handle);
    return found == registry_->by_handle.end() ? nullptr : found->second.lock();
  }

 private:
  struct Registry {
    std::mutex mutex;
    uint64_t next = 1;
    std::map<std::string, std::weak_ptr<const Scan>> by_handle;
  };
  // Holds the scan and, when the last copy goes, takes the handle out of the registry.
  struct Registration {
    Registration(std::shared_ptr<Registry> r, std::string h, std::shared_ptr<const Scan> s)
        : registry(std::move(r)), handle(std::move(h)), scan(std::move(s)) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
      std::lock_guard lock(registry->mutex);
      registry->by_handle.erase(handle);
    }
    std::shared_ptr<Registry> registry;
    std::string handle;
    std::shared_ptr<const Scan> scan;
  };

  std::string function_, prefix_;
  std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
};

}  // namespace aichemy::sql
