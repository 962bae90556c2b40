#include "catalog/catalog_state.h"

namespace aichemy::catalog {

namespace {

std::string view_file(const ViewMetadata& view, const std::string& uuid) {
  return view.location + "/metadata/" +
         std::to_string(100'000 + view.current_version_id).substr(1) + "-" + uuid +
         ".metadata.json";
}

}  // namespace

Result<std::vector<EntityName>> Catalog::list_views(const Call&, const NamespaceName& space) {
  ASSIGN_OR_RETURN(auto found, list_relations(space, true));
  std::vector<EntityName> names;
  for (TablePointer& pointer : found) names.push_back(std::move(pointer.name));
  return names;
}

Result<bool> Catalog::view_exists(const Call&, const EntityName& name) {
  auto pointer = pointer_of(name, true);
  if (!pointer && pointer.error().code != Code::not_found) return std::unexpected(pointer.error());
  return pointer.has_value();
}

Result<LoadedView> Catalog::read_view(const Call& call, const EntityName& name,
                                      const std::string& location) {
  auto view = state_->view_cache.find(location);
  if (!view) {
    ASSIGN_OR_RETURN(std::string bytes, files_.read(call, location));
    auto json = Json::parse(bytes);
    if (!json) return fail(Code::corrupt, "view_metadata", location + ": " + json.error().message);
    auto parsed = view_from_json(*json);
    if (!parsed) {
      parsed.error().message = location + ": " + parsed.error().message;
      return std::unexpected(parsed.error());
    }
    view = std::make_shared<const ViewMetadata>(std::move(*parsed));
    state_->view_cache.keep(location, view, bytes.size() * 2);
  }
  return LoadedView{name, location, view};
}

Result<LoadedView> Catalog::load_view(const Call& call, const EntityName& name) {
  ASSIGN_OR_RETURN(std::string location, pointer_of(name, true));
  return read_view(call, name, location);
}

Result<LoadedView> Catalog::register_view(const Call& call, const EntityName& name,
                                          const std::string& location) {
  RETURN_IF_ERROR(check_name(name));
  ASSIGN_OR_RETURN(LoadedView view, read_view(call, name, location));
  RelationRow row{
      .kind = RelationKind::view, .uuid = view.metadata->uuid, .metadata_location = location};
  RETURN_IF_ERROR(state_->database.transaction([&](metadb::Transaction& transaction) {
    return insert_relation(transaction, name, row, state_->clock.wall_millis());
  }));
  return view;
}

Result<LoadedView> Catalog::create_view(const Call& call, const EntityName& name,
                                        const NewView& view) {
  RETURN_IF_ERROR(check_name(name));
  RETURN_IF_ERROR(check_dialects(view.version));
  ViewMetadata made;
  made.uuid = state_->random.uuid();
  made.location = view.location;
  ASSIGN_OR_RETURN(std::string location, default_location(call, name));
  if (made.location.empty()) made.location = std::move(location);
  while (made.location.ends_with('/')) made.location.pop_back();
  RETURN_IF_ERROR(tables::parse_location(made.location));
  made.schemas.push_back(view.schema);
  made.schemas[0].id = 0;
  made.versions.push_back(view.version);
  made.versions[0].schema_id = 0;
  int64_t now = state_->clock.wall_millis();
  if (made.versions[0].timestamp_millis == 0) made.versions[0].timestamp_millis = now;
  made.current_version_id = made.versions[0].id;
  made.log.push_back({made.versions[0].timestamp_millis, made.current_version_id});
  made.properties = view.properties;

  std::string file = view_file(made, state_->random.uuid());
  RETURN_IF_ERROR(files_.write_new(call, file, view_to_json(made).dump()));
  RelationRow row{.kind = RelationKind::view, .uuid = made.uuid, .metadata_location = file};
  Status done = state_->database.transaction([&](metadb::Transaction& transaction) {
    return insert_relation(transaction, name, row, now);
  });
  if (!done) {
    if (done.error().code == Code::exists || done.error().code == Code::not_found)
      remove_quietly(call, file);
    return std::unexpected(done.error());
  }
  return LoadedView{name, file, std::make_shared<const ViewMetadata>(std::move(made))};
}

Result<LoadedView> Catalog::commit_view(const Call& call, const EntityName& name,
                                        const std::vector<ViewRequirement>& requirements,
                                        const std::vector<ViewUpdate>& updates) {
  for (int attempt = 0;; ++attempt) {
    ASSIGN_OR_RETURN(LoadedView loaded, load_view(call, name));
    int64_t now = state_->clock.wall_millis();
    ASSIGN_OR_RETURN(ViewMetadata changed,
                     apply_view_updates(*loaded.metadata, requirements, updates, now));
    std::string file = view_file(changed, state_->random.uuid());
    RETURN_IF_ERROR(files_.write_new(call, file, view_to_json(changed).dump()));
    Status done = state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
      ASSIGN_OR_RETURN(auto row, find_relation(transaction, name));
      if (!row || !row->is(RelationKind::view)) return no_such_relation(name, RelationKind::view);
      return swap_pointer(transaction, name, row->namespace_id, loaded.metadata_location, file,
                          now);
    });
    if (done)
      return LoadedView{name, file, std::make_shared<const ViewMetadata>(std::move(changed))};
    Code code = done.error().code;
    if (code == Code::conflict || code == Code::not_found) remove_quietly(call, file);
    if (code != Code::conflict || attempt >= options_.commit_retries)
      return std::unexpected(done.error());
  }
}

Status Catalog::drop_view(const Call&, const EntityName& name) { return drop_relation(name, true); }

Status Catalog::rename_view(const Call&, const EntityName& from, const EntityName& to) {
  return rename_relation(from, to, true);
}

}  // namespace aichemy::catalog
