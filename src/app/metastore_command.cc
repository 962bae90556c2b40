#include "app/metastore_command.h"

#include <fmt/core.h>

#include "app/config.h"
#include "app/data_directory.h"
#include "app/platform.h"
#include "app/up.h"
#include "base/log.h"
#include "base/metrics.h"
#include "catalog/hive_transfer.h"
#include "metadb/foreign.h"
#include "objectstore/embedded_store.h"

namespace aichemy::app {
namespace {

constexpr int kRefused = 3;

// What of the platform is needed to read and write names: no ports, no jobs.
struct Names {
  DataDirectory data;
  PosixDisk disk;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  std::unique_ptr<objectstore::EmbeddedStore> store;
  std::unique_ptr<metadb::Database> ours, theirs;
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<catalog::HiveCatalog> hive;

  explicit Names(DataDirectory directory) : data(std::move(directory)) {}
  Status open(const Config& config, const std::string& uri);
};

Status Names::open(const Config& config, const std::string& uri) {
  auto opened = metadb::open_foreign_postgresql(uri);
  if (!opened) {
    Error error = opened.error();
    error.message = "the Hive Metastore's database cannot be opened: " + error.message;
    return std::unexpected(std::move(error));
  }
  theirs = std::move(*opened);
  objectstore::EmbeddedStoreOptions drives;
  for (int i = 0; i < 4; ++i) drives.drives.push_back(data.below(fmt::format("drives/{}", i)));
  ASSIGN_OR_RETURN(
      store, objectstore::EmbeddedStore::start(std::move(drives), disk, clock, random, metrics));
  RETURN_IF_ERROR(disk.make_directories(data.below("meta")));
  ASSIGN_OR_RETURN(ours, open_metadata(config, data));
  catalog = std::make_unique<catalog::Catalog>(*ours, *store, clock, random, metrics,
                                               catalog::Catalog::Options{});
  RETURN_IF_ERROR(catalog->prepare(Call{}));
  hive = std::make_unique<catalog::HiveCatalog>(*catalog, *ours, clock, random);
  return {};
}

void print(const catalog::TransferReport& report, const MetastoreOptions& options) {
  auto row = [&](const char* what, const catalog::TransferCount& count) {
    fmt::print("  {:<11} {:>8} added  {:>8} replaced  {:>8} the same\n", what, count.added,
               count.replaced, count.same);
  };
  fmt::print("{}{}\n", options.is_export ? "export" : "import",
             options.transfer.dry_run ? ", dry run: nothing was written; it would be" : "");
  row("databases", report.databases);
  row("tables", report.tables);
  row("partitions", report.partitions);
  row("functions", report.functions);
  if (!report.differences.empty()) fmt::print("left as they are (--replace overwrites):\n");
  for (const std::string& text : report.differences) fmt::print("  {}\n", text);
  if (!report.refusals.empty()) fmt::print("refused:\n");
  for (const std::string& text : report.refusals) fmt::print("  {}\n", text);
}

Result<catalog::TransferReport> transfer(const MetastoreOptions& options) {
  ASSIGN_OR_RETURN(Config config,
                   Config::load({options.config_file, our_environment(), options.settings, false}));
  PosixDisk disk;
  ASSIGN_OR_RETURN(DataDirectory data, DataDirectory::open(options.data, disk));
  Names names(std::move(data));
  RETURN_IF_ERROR(names.open(config, options.uri));
  catalog::TransferStores stores{*names.catalog, *names.hive, *names.ours,
                                 *names.theirs,  names.clock, names.random};
  return options.is_export ? catalog::export_metastore(stores, options.transfer)
                           : catalog::import_metastore(stores, options.transfer);
}

}  // namespace

int run_metastore(const MetastoreOptions& options) {
  configure_log(LogLevel::warn, LogFormat::human);
  auto report = transfer(options);
  if (!report) {
    fmt::print(stderr, "aichemy: {}\n", report.error().message);
    return report.error().is("config") ? 2 : 1;
  }
  print(*report, options);
  return report->refusals.empty() ? 0 : kRefused;
}

}  // namespace aichemy::app
