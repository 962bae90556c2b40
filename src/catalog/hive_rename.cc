// A managed Hive table keeps its data in the folder of its name, and clients compute that folder
// for a table they make: so renaming one moves its folder, or a new table of the old name would
// read the files of this one.
//
// Order: copy, then the names in one transaction, then what was written to the old folder meanwhile
// is copied too, and only what was copied goes. A crash before the transaction leaves copies that
// nothing names, one after it leaves the old files.
#include "base/log.h"
#include "catalog/hive_catalog.h"
#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

bool starts_in(const std::string& location, const std::string& folder) {
  return location == folder || location.starts_with(folder + "/");
}

}  // namespace

Result<std::optional<HiveCatalog::FolderMove>> HiveCatalog::folder_move(const Call& call,
                                                                        const HiveRelation& row,
                                                                        const hive::Table& to) {
  bool renamed = *to.name != row.table_name() || *to.database_name != row.database();
  if (!renamed || row.is_iceberg || row.definition.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(hive::Table old, table_of(row.definition, row));
  if (old.table_type != "MANAGED_TABLE" || !old.storage || !old.storage->location)
    return std::nullopt;
  std::string from = *old.storage->location;
  while (from.ends_with('/')) from.pop_back();
  ASSIGN_OR_RETURN(hive::Database home, load_database(call, row.database()));
  bool is_default = from == *home.location + "/" + row.table_name();
  bool unchanged = to.storage->location.value_or(*old.storage->location) == *old.storage->location;
  if (!is_default || !unchanged || !tables::parse_location(from)) return std::nullopt;
  ASSIGN_OR_RETURN(hive::Database target, load_database(call, *to.database_name));
  FolderMove move{from, *target.location + "/" + *to.name, {}};
  ASSIGN_OR_RETURN(bool taken, catalog_.files().has_prefix(call, move.to));
  if (taken) {
    return fail(Code::conflict, "table_exists",
                "New location for this table hive." + *to.database_name + "." + *to.name +
                    " already exists : " + move.to);
  }
  return move;
}

Status HiveCatalog::copy_folder(const Call& call, FolderMove* move) {
  Status copied = catalog_.files().copy_prefix(call, move->from, move->to, &move->copied);
  if (!copied) remove_copied(call, move->to, *move);
  return copied;
}

// After the names: writers that knew the old folder may have added to it since it was copied.
void HiveCatalog::finish_move(const Call& call, FolderMove* move) {
  if (auto late = catalog_.files().copy_prefix(call, move->from, move->to, &move->copied); !late) {
    log_warn("catalog.late_files", {{"location", move->from}, {"error", late.error().message}});
  }
  remove_copied(call, move->from, *move);
}

void HiveCatalog::remove_copied(const Call& call, const std::string& folder,
                                const FolderMove& move) {
  if (auto done = catalog_.files().remove_copied(call, folder, move.copied); !done) {
    log_warn("catalog.orphan_folder", {{"location", folder}, {"error", done.error().message}});
  }
}

void HiveCatalog::remove_folder(const Call& call, const std::string& folder) {
  if (auto done = catalog_.files().remove_prefix(call, folder); !done) {
    log_warn("catalog.orphan_folder", {{"location", folder}, {"error", done.error().message}});
  }
}

Status HiveCatalog::move_partitions(metadb::Transaction& transaction, const HiveRelation& row,
                                    const FolderMove& move) {
  ASSIGN_OR_RETURN(
      auto rows,
      transaction.query("SELECT name, definition FROM hive_partitions WHERE table_id = $1",
                        {row.uuid}));
  for (const metadb::Row& cells : rows) {
    ASSIGN_OR_RETURN(hive::Partition partition, partition_of(cells[1].as_text()));
    if (!partition.storage || !partition.storage->location) continue;
    std::string& location = *partition.storage->location;
    if (!starts_in(location, move.from)) continue;
    location.replace(0, move.from.size(), move.to);
    RETURN_IF_ERROR(transaction.run(
        "UPDATE hive_partitions SET definition = $1 WHERE table_id = $2 AND name = $3",
        {stored_form(partition), row.uuid, cells[0].as_text()}));
  }
  return {};
}

}  // namespace aichemy::catalog
