#include "sql/connectors/iceberg_change.h"

#include <algorithm>
#include <map>
#include <set>

#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"
#include "sql/connectors/lineage.h"

namespace aichemy::sql {

namespace {

struct ModeRow {
  const char* mode;
  const char* isolation;
};
// By Change::Kind.
constexpr ModeRow kModes[] = {{"write.delete.mode", "write.delete.isolation-level"},
                              {"write.update.mode", "write.update.isolation-level"},
                              {"write.merge.mode", "write.merge.isolation-level"}};

struct IcebergChange final : Change {
  TableRef table;
  catalog::LoadedTable loaded;
  tables::ScanPlan plan;  // of the target, with the files that go unread
  tables::Predicate looked_at;
  std::vector<std::string> whole;   // data files that go
  std::set<std::string> rewritten;  // data files that are replaced by what stays of them
  bool everything = false;          // no condition: what is touched goes whole

  const tables::iceberg::TableMetadata& metadata() const { return *loaded.metadata; }
  const ModeRow& mode() const { return kModes[static_cast<size_t>(kind)]; }
  bool copies_on_write() const { return metadata().property(mode().mode) == "copy-on-write"; }
  bool keeps_lineage() const { return metadata().format_version >= 3; }
  bool serializable() const { return metadata().property(mode().isolation) != "snapshot"; }
};

// How many rows of a file are deleted already; none when only reading would tell.
std::optional<uint64_t> deleted_before(const tables::ScanPlan& plan, const tables::DataFile& file) {
  uint64_t rows = 0;
  for (uint32_t index : file.deletes) {
    const tables::DeleteFile& deletes = plan.delete_files[index];
    if (deletes.kind != tables::DeleteKind::deletion_vector) return std::nullopt;
    rows += deletes.record_count;
  }
  return rows;
}

bool has_old_deletes(const tables::ScanPlan& plan, const tables::DataFile& file) {
  return std::ranges::any_of(file.deletes, [&](uint32_t index) {
    return plan.delete_files[index].kind == tables::DeleteKind::position;
  });
}

}  // namespace

void add_lineage(InsertTarget* target) {
  for (const auto& [name, id] : {std::pair("_row_id", kRowIdField),
                                 std::pair("_last_updated_sequence_number", kLastUpdatedField)}) {
    target->columns.push_back({.name = name, .type = Type(TypeKind::bigint), .field_id = {id, {}}});
  }
}

void add_lineage(LakeScan* scan) {
  for (int32_t id : kLineageFields)
    scan->columns.push_back({.type = Type(TypeKind::bigint), .field_id = {id, {}}});
  auto constant = [](LineageColumn column, int64_t value) {
    return tables::ColumnConstant{kLineageFields[static_cast<size_t>(column)],
                                  tables::Value(value)};
  };
  for (tables::DataFile& file : scan->plan.files) {
    file.constants.push_back(constant(LineageColumn::file_sequence, file.sequence_number));
    if (file.first_row_id)
      file.constants.push_back(constant(LineageColumn::first_row_id, *file.first_row_id));
  }
}

Result<std::unique_ptr<Change>> IcebergChanges::begin(const Call&, const TableRef& table,
                                                      Change::Kind kind) {
  const auto* iceberg = dynamic_cast<const IcebergTable*>(table.get());
  if (!iceberg) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "This connector does not support modifying table rows");
  }
  auto change = std::make_unique<IcebergChange>();
  change->kind = kind;
  change->table = table;
  RETURN_IF_ERROR(check_branch(*iceberg));
  change->loaded = iceberg->loaded;
  if (change->metadata().format_version < 2) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Iceberg table updates require at least format version 2");
  }
  ASSIGN_OR_RETURN(change->target, insert_target(change->loaded));
  change->target.holds_small_files = true;
  if (change->keeps_lineage()) add_lineage(&change->target);
  return change;
}

void IcebergChanges::note_plan(Change& change, const ScanRequest& request, tables::ScanPlan& plan) {
  auto& ours = static_cast<IcebergChange&>(change);
  ours.plan = plan;
  ours.looked_at = ours.reads_all ? tables::Predicate::always_true()
                                  : predicate_of(request.conjuncts, plan.schema);
  ours.everything = ours.exact && request.conjuncts.empty();
  if (!ours.exact || !says_all(request.conjuncts, plan.schema)) return;
  std::erase_if(plan.files, [&](const tables::DataFile& file) {
    auto before = deleted_before(plan, file);
    if (!file.all_match || !before) return false;
    ours.whole.push_back(file.path);
    ours.removed_unread += file.record_count - std::min(*before, file.record_count);
    plan.record_count -= file.record_count;
    plan.byte_count -= file.size;
    return true;
  });
}

Result<ChangeWork> IcebergChanges::arrange(const Call&, Change& change,
                                           const std::vector<FilePositions>& deleted) {
  auto& ours = static_cast<IcebergChange&>(change);
  std::map<std::string_view, const tables::DataFile*> files;
  for (const tables::DataFile& file : ours.plan.files) files[file.path] = &file;
  ChangeWork work;
  for (size_t i = 0; i < deleted.size(); ++i) {
    auto found = files.find(deleted[i].path);
    if (found == files.end())
      return fail(Code::internal, "change", deleted[i].path + " was not part of the scan");
    const tables::DataFile& file = *found->second;
    auto before = deleted_before(ours.plan, file);
    bool all =
        ours.everything || (before && *before + deleted[i].positions.size() >= file.record_count);
    bool old = ours.metadata().format_version >= 3 && has_old_deletes(ours.plan, file);
    if (all)
      ours.whole.push_back(file.path);
    else if (old || ours.copies_on_write())
      ours.rewritten.insert(file.path);
    else if (ours.metadata().format_version < 3)
      work.position_files.push_back(i);
  }
  bool updates = ours.kind != Change::Kind::remove;
  if (ours.reads_later || (updates && ours.keeps_lineage()))
    work.changed = changed_rows(ours, deleted);
  if (ours.rewritten.empty()) return work;
  auto scan = std::make_shared<LakeScan>();
  scan->plan = ours.plan;
  std::erase_if(scan->plan.files,
                [&](const tables::DataFile& file) { return !ours.rewritten.contains(file.path); });
  scan->columns = lake_columns(*ours.table);
  if (ours.keeps_lineage()) add_lineage(scan.get());
  work.rewritten = scans_.add(std::move(scan));
  return work;
}

EngineScan IcebergChanges::changed_rows(const Change& change,
                                        const std::vector<FilePositions>& deleted) {
  const auto& ours = static_cast<const IcebergChange&>(change);
  auto scan = std::make_shared<LakeScan>();
  scan->plan = ours.plan;
  scan->plan.files.clear();
  scan->plan.record_count = 0;
  scan->counts_known = false;
  scan->columns = lake_columns(*ours.table);
  for (const FilePositions& rows : deleted) {
    auto file = std::ranges::find(ours.plan.files, rows.path, &tables::DataFile::path);
    scan->plan.files.push_back(*file);
    scan->rows.push_back(rows.positions);
    scan->plan.record_count += rows.positions.size();
  }
  if (ours.keeps_lineage()) add_lineage(scan.get());
  return scans_.add(std::move(scan));
}

Status IcebergChanges::finish(const Call& call, Change& change, ChangedFiles files) {
  auto& ours = static_cast<IcebergChange&>(change);
  catalog::ChangeRows rows;
  rows.name = ours.loaded.name;
  rows.branch = iceberg_table(ours.table).ref;
  tables::iceberg::RowChange& to = rows.change;
  to.read_snapshot_id = ours.plan.snapshot_id;
  to.spec_id = ours.metadata().default_spec_id;
  if (ours.serializable()) to.looked_at = ours.looked_at;
  for (const WrittenFile& written : files.added) {
    ASSIGN_OR_RETURN(auto file, committed_file(written, ours.loaded, to.spec_id));
    to.added.push_back(std::move(file));
  }
  to.replaced = ours.whole;
  to.replaced.insert(to.replaced.end(), ours.rewritten.begin(), ours.rewritten.end());
  std::set<std::string_view> replaced(to.replaced.begin(), to.replaced.end());
  bool vectors = ours.metadata().format_version >= 3;
  for (FilePositions& file : files.deleted) {
    if (!vectors || replaced.contains(file.path)) continue;
    to.deleted.push_back({std::move(file.path), std::move(file.positions)});
  }
  for (PositionFile& file : files.position_files) {
    to.delete_files.push_back({std::move(file.data_file), std::move(file.path), file.bytes,
                               file.rows, std::move(file.held)});
  }
  if (to.added.empty() && to.replaced.empty() && to.deleted.empty() && to.delete_files.empty())
    return {};
  auto done = in_our_words(catalog_.change_rows(call, rows));
  if (!done) return std::unexpected(done.error());
  return {};
}

Status IcebergChanges::truncate(const Call& call, const TableRef& table) {
  const auto* iceberg = dynamic_cast<const IcebergTable*>(table.get());
  if (!iceberg) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "This connector does not support truncating tables");
  }
  auto done = in_our_words(catalog_.truncate(call, iceberg->loaded.name));
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::sql
