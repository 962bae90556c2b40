// CREATE OR REPLACE TABLE: the table keeps its identity, location, history and branches; main
// starts anew under a new schema. Columns that keep their name keep their field id.
#include "catalog/catalog_state.h"

namespace aichemy::catalog {

namespace {

namespace iceberg = tables::iceberg;
using iceberg::Requirement;
using iceberg::TableMetadata;
using iceberg::Update;

void reuse_ids(const tables::Schema& before, const std::string& above, int* last_id,
               std::vector<tables::Field>* fields) {
  for (tables::Field& field : *fields) {
    const tables::Field* known = before.find(above + field.name);
    field.id = known ? known->id : ++*last_id;
  }
  for (tables::Field& field : *fields)
    reuse_ids(before, above + field.name + ".", last_id, &field.type.fields);
}

Update numbered(Update::Kind kind, int number) {
  Update update;
  update.kind = kind;
  update.number = number;
  return update;
}

int new_id(int given, const tables::Schema& from, const tables::Schema& to) {
  const tables::Field* field = to.find(from.path_of(given));
  return field ? field->id : given;
}

std::vector<Update> replacement_updates(const TableMetadata& base, const CreateTable& table) {
  std::vector<Update> updates;
  Properties properties = table.properties;
  if (auto version = properties.extract("format-version"); !version.empty()) {
    int number = std::atoi(version.mapped().c_str());
    if (number > base.format_version)
      updates.push_back(numbered(Update::Kind::upgrade_format_version, number));
  }
  Update add;
  add.kind = Update::Kind::add_schema;
  add.schema = table.schema;
  int last_id = base.last_column_id;
  reuse_ids(base.current_schema(), "", &last_id, &add.schema.fields);
  tables::Schema schema = add.schema;
  updates.push_back(std::move(add));
  updates.push_back(numbered(Update::Kind::set_current_schema, -1));
  add = {};
  add.kind = Update::Kind::add_spec;
  add.spec = table.spec;
  for (auto& field : add.spec.fields)
    field.source_id = new_id(field.source_id, table.schema, schema);
  updates.push_back(std::move(add));
  updates.push_back(numbered(Update::Kind::set_default_spec, -1));
  add = {};
  add.kind = Update::Kind::add_sort_order;
  add.sort_order = table.sort_order;
  for (auto& field : add.sort_order.fields)
    field.source_id = new_id(field.source_id, table.schema, schema);
  updates.push_back(std::move(add));
  updates.push_back(numbered(Update::Kind::set_default_sort_order, -1));
  if (!properties.empty()) updates.push_back(Update::set(std::move(properties)));
  Update restart;
  restart.kind = Update::Kind::remove_snapshot_ref;
  restart.text = "main";
  updates.push_back(std::move(restart));
  return updates;
}

}  // namespace

Result<Replacement> Catalog::stage_replacement(const Call& call, const CreateTable& table) {
  ASSIGN_OR_RETURN(LoadedTable base, load_table(call, table.name));
  const TableMetadata& metadata = *base.metadata;
  Replacement made;
  made.change.name = table.name;
  made.change.updates = replacement_updates(metadata, table);
  using K = Requirement::Kind;
  made.change.requirements = {
      Requirement::uuid(metadata.uuid),
      Requirement::ref("main", metadata.current_snapshot_id),
      Requirement::of(K::current_schema_id, metadata.current_schema_id),
      Requirement::of(K::last_assigned_field_id, metadata.last_column_id),
      Requirement::of(K::default_spec_id, metadata.default_spec_id),
      Requirement::of(K::last_assigned_partition_id, metadata.last_partition_id),
      Requirement::of(K::default_sort_order_id, metadata.default_sort_order_id)};
  iceberg::ApplyOptions options{state_->clock.wall_millis(), base.metadata_location};
  ASSIGN_OR_RETURN(TableMetadata staged,
                   iceberg::apply_updates(&metadata, made.change.updates, options));
  made.staged = base;
  made.staged.metadata = std::make_shared<const TableMetadata>(std::move(staged));
  return made;
}

Result<LoadedTable> Catalog::replace_with_files(const Call& call, const Replacement& replacement,
                                                const AppendFiles& append) {
  CommitTable change = replacement.change;
  std::lock_guard turn(state_->turn_of(change.name));
  tables::NewFiles files(files_.store());
  tables::FileIo io(files);
  std::vector<std::string> written;
  const TableMetadata& staged = *replacement.staged.metadata;
  auto add = [&]() -> Status {
    if (append.files.empty()) return {};
    ASSIGN_OR_RETURN(auto prepared, iceberg::prepare_append(call, io, state_->random, staged,
                                                            append.spec_id, append.files));
    written = prepared.written;
    iceberg::CommitAttempt attempt{"", 1, state_->clock.wall_millis(), append.summary};
    ASSIGN_OR_RETURN(auto added, iceberg::append_change(call, io, state_->manifests, state_->random,
                                                        staged, prepared, attempt));
    written.insert(written.end(), added.written.begin(), added.written.end());
    for (Update& update : added.updates) change.updates.push_back(std::move(update));
    return {};
  };
  Status added = add();
  auto done = added ? try_commit(call, {change}, files) : std::unexpected(added.error());
  if (done) return std::move((*done)[0]);
  if (!done.error().is("commit_unknown")) {
    for (const std::string& file : written) remove_quietly(call, io, file);
  }
  return std::unexpected(done.error());
}

}  // namespace aichemy::catalog
