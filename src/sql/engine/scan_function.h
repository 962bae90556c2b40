// What the engine's table functions over a ScanRegistry have in common: f('<handle>') is bound to
// the scan that is registered under the handle.
#pragma once

#include <duckdb/common/exception.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <memory>
#include <string>
#include <utility>

#include "sql/connectors/scan_registry.h"
#include "sql/engine/engine.h"

namespace aichemy::sql {

template <class Scan>
struct ScansInfo final : duckdb::TableFunctionInfo {
  explicit ScansInfo(const ScanRegistry<Scan>& all) : scans(all) {}
  const ScanRegistry<Scan>& scans;
};

template <class Scan>
struct ScanBind final : duckdb::TableFunctionData {
  std::string handle;
  std::shared_ptr<const Scan> scan;
};

// Throws when there is none.
template <class Scan>
duckdb::unique_ptr<ScanBind<Scan>> bind_scan(const duckdb::TableFunctionBindInput& input) {
  auto made = duckdb::make_uniq<ScanBind<Scan>>();
  made->handle = input.inputs[0].GetValue<std::string>();
  made->scan = input.info->Cast<ScansInfo<Scan>>().scans.find(made->handle);
  if (!made->scan) throw duckdb::InvalidInputException("no scan for '%s'", made->handle);
  return made;
}

// For TableFunction::to_string: EXPLAIN finds the scan by it.
template <class Scan>
duckdb::InsertionOrderPreservingMap<std::string> describe_scan(
    duckdb::TableFunctionToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> out;
  out[kScanHandle] = input.bind_data->Cast<ScanBind<Scan>>().handle;
  return out;
}

// `scans` outlives the database.
template <class Scan>
void register_scan(duckdb::DatabaseInstance& database, duckdb::TableFunction function,
                   const ScanRegistry<Scan>& scans) {
  function.projection_pushdown = true;
  function.function_info = duckdb::make_shared_ptr<ScansInfo<Scan>>(scans);
  duckdb::ExtensionLoader(database, "aichemy").RegisterFunction(std::move(function));
}

}  // namespace aichemy::sql
