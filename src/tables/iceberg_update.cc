#include "tables/iceberg_update.h"

#include <algorithm>

namespace aichemy::tables::iceberg {

namespace {

using RequirementKind = Requirement::Kind;
using UpdateKind = Update::Kind;

constexpr int64_t kPreviousVersionsDefault = 100;

struct NumberRequirement {
  RequirementKind kind;
  const char* name;
  int TableMetadata::* member;
};
constexpr NumberRequirement kNumbers[] = {
    {RequirementKind::last_assigned_field_id, "last assigned field id",
     &TableMetadata::last_column_id},
    {RequirementKind::current_schema_id, "current schema id", &TableMetadata::current_schema_id},
    {RequirementKind::last_assigned_partition_id, "last assigned partition id",
     &TableMetadata::last_partition_id},
    {RequirementKind::default_spec_id, "default spec id", &TableMetadata::default_spec_id},
    {RequirementKind::default_sort_order_id, "default sort order id",
     &TableMetadata::default_sort_order_id},
};

std::unexpected<Error> failed(const std::string& why) {
  return fail(Code::conflict, "requirement_failed", "Requirement failed: " + why);
}

std::unexpected<Error> refused(const std::string& why) {
  return fail(Code::invalid, "update", why);
}

std::string id_text(std::optional<int64_t> id) {
  return id ? std::to_string(*id) : std::string("none");
}

Status check(const TableMetadata* base, const Requirement& requirement) {
  if (requirement.kind == RequirementKind::create) {
    return base ? failed("table already exists") : Status();
  }
  if (!base) return failed("the table does not exist");
  if (requirement.kind == RequirementKind::table_uuid) {
    if (base->uuid == requirement.text) return {};
    return failed("UUID does not match: expected " + requirement.text + " != " + base->uuid);
  }
  if (requirement.kind == RequirementKind::ref_snapshot_id) {
    auto found = base->refs.find(requirement.text);
    std::optional<int64_t> at;
    if (found != base->refs.end()) at = found->second.snapshot_id;
    if (at == requirement.snapshot_id) return {};
    return failed("branch or tag " + requirement.text + " has changed: expected id " +
                  id_text(requirement.snapshot_id) + " != " + id_text(at));
  }
  for (const NumberRequirement& row : kNumbers) {
    if (row.kind == requirement.kind && base->*row.member != requirement.number) {
      return failed(std::string(row.name) + " changed: expected " +
                    std::to_string(requirement.number) +
                    " != " + std::to_string(base->*row.member));
    }
  }
  return {};
}

template <class T>
void remove_ids(std::vector<T>& items, const std::vector<int>& ids) {
  std::erase_if(items, [&](const T& item) {
    return std::find(ids.begin(), ids.end(), item.id) != ids.end();
  });
}

// One application of updates, in order. -1 in set-current-* means the last one added here.
class Applier {
 public:
  Applier(TableMetadata metadata, bool creating, int64_t now)
      : m(std::move(metadata)), creating_(creating), now_(now) {}

  TableMetadata m;

  Status apply(const Update& update) {
    switch (update.kind) {
      case UpdateKind::assign_uuid: return assign_uuid(update.text);
      case UpdateKind::upgrade_format_version: return upgrade(update.number);
      case UpdateKind::add_schema: return add_schema(update.schema);
      case UpdateKind::set_current_schema:
        return set_id(update.number, last_schema_, m.schema(or_last(update.number, last_schema_)),
                      "schema", &m.current_schema_id);
      case UpdateKind::add_spec: return add_spec(update.spec);
      case UpdateKind::set_default_spec:
        return set_id(update.number, last_spec_, m.spec(or_last(update.number, last_spec_)),
                      "partition spec", &m.default_spec_id);
      case UpdateKind::add_sort_order: return add_sort_order(update.sort_order);
      case UpdateKind::set_default_sort_order:
        return set_id(update.number, last_order_, m.sort_order(or_last(update.number, last_order_)),
                      "sort order", &m.default_sort_order_id);
      case UpdateKind::add_snapshot: return add_snapshot(update.snapshot);
      case UpdateKind::set_snapshot_ref: return set_ref(update.text, update.ref);
      case UpdateKind::remove_snapshot_ref:
        if (update.text == "main") m.current_snapshot_id.reset();
        m.refs.erase(update.text);
        return {};
      case UpdateKind::remove_snapshots: return remove_snapshots(update.snapshot_ids);
      case UpdateKind::set_location:
        m.location = update.text;
        while (m.location.ends_with('/')) m.location.pop_back();
        return {};
      default: return apply_rest(update);
    }
  }

  Status finish() {
    if (m.uuid.empty() || m.location.empty())
      return refused("the new table has no uuid or no location");
    if (!m.schema(m.current_schema_id)) return refused("the new table has no current schema");
    if (m.specs.empty()) m.specs.emplace_back();
    if (m.sort_orders.empty()) m.sort_orders.emplace_back();
    if (!m.spec(m.default_spec_id)) return refused("the default partition spec does not exist");
    if (!m.sort_order(m.default_sort_order_id))
      return refused("the default sort order does not exist");
    return check_sources();
  }

 private:
  bool creating_;
  int64_t now_;
  std::optional<int> last_schema_;
  std::optional<int> last_spec_;
  std::optional<int> last_order_;
  std::vector<int64_t> added_;

  static int or_last(int number, std::optional<int> last) {
    return number == -1 ? last.value_or(-1) : number;
  }

  Status set_id(int number, std::optional<int> last, const void* found, const char* what, int* to) {
    if (number == -1 && !last)
      return refused(std::string("no ") + what + " was added to be made the current one");
    if (!found) return refused(std::string("there is no ") + what + " " + std::to_string(number));
    *to = or_last(number, last);
    return {};
  }

  Status assign_uuid(const std::string& uuid) {
    if (!m.uuid.empty() && m.uuid != uuid) return refused("the table's UUID cannot be changed");
    m.uuid = uuid;
    return {};
  }

  Status upgrade(int version) {
    if (version > kNewestFormatVersion || version < 1) {
      return fail(Code::unsupported, "format_version",
                  "format version " + std::to_string(version) + " is not supported");
    }
    if (version < m.format_version && !creating_)
      return refused("the format version cannot be lowered");
    m.format_version = version;
    return {};
  }

  Status add_schema(Schema schema) {
    for (const Schema& known : m.schemas) {
      if (!known.same_fields(schema)) continue;
      last_schema_ = known.id;
      return {};
    }
    int highest = -1;
    for (const Schema& known : m.schemas) highest = std::max(highest, known.id);
    schema.id = highest + 1;
    m.last_column_id = std::max(m.last_column_id, schema.highest_field_id());
    last_schema_ = schema.id;
    m.schemas.push_back(std::move(schema));
    return {};
  }

  // A field that an earlier spec had keeps its id, so that partition values stay comparable across
  // specs.
  int known_field_id(const PartitionField& field) const {
    for (const PartitionSpec& spec : m.specs) {
      for (const PartitionField& known : spec.fields) {
        if (known.source_id == field.source_id && known.transform == field.transform)
          return known.field_id;
      }
    }
    return 0;
  }

  Status add_spec(PartitionSpec spec) {
    int highest = -1;
    for (PartitionField& field : spec.fields) {
      if (field.field_id == 0) field.field_id = known_field_id(field);
      if (field.field_id == 0) field.field_id = m.last_partition_id + 1;
      m.last_partition_id = std::max(m.last_partition_id, field.field_id);
    }
    for (const PartitionSpec& known : m.specs) {
      highest = std::max(highest, known.id);
      if (known.fields == spec.fields) {
        last_spec_ = known.id;
        return {};
      }
    }
    spec.id = highest + 1;
    last_spec_ = spec.id;
    m.specs.push_back(std::move(spec));
    return {};
  }

  Status add_sort_order(SortOrder order) {
    int highest = 0;
    for (const SortOrder& known : m.sort_orders) {
      highest = std::max(highest, known.id);
      if (known.fields == order.fields) {
        last_order_ = known.id;
        return {};
      }
    }
    order.id = order.fields.empty() ? 0 : highest + 1;
    last_order_ = order.id;
    m.sort_orders.push_back(std::move(order));
    return {};
  }

  Status add_snapshot(const Snapshot& snapshot) {
    if (m.snapshot(snapshot.id))
      return refused("snapshot " + std::to_string(snapshot.id) + " exists already");
    if (m.format_version >= 2 && snapshot.sequence_number <= m.last_sequence_number &&
        !m.snapshots.empty()) {
      return failed("snapshot " + std::to_string(snapshot.id) + " has sequence number " +
                    std::to_string(snapshot.sequence_number) + ", the table is at " +
                    std::to_string(m.last_sequence_number));
    }
    if (m.format_version >= 3) {
      if (!snapshot.first_row_id || !snapshot.added_rows || *snapshot.added_rows < 0) {
        return refused("snapshot " + std::to_string(snapshot.id) +
                       " has no first-row-id or added-rows, which version 3 needs");
      }
      if (*snapshot.first_row_id < m.next_row_id) {
        return failed("snapshot " + std::to_string(snapshot.id) + " gives row ids from " +
                      std::to_string(*snapshot.first_row_id) + ", the table is at " +
                      std::to_string(m.next_row_id));
      }
      m.next_row_id = *snapshot.first_row_id + *snapshot.added_rows;
    }
    m.last_sequence_number = std::max(m.last_sequence_number, snapshot.sequence_number);
    m.snapshots.push_back(snapshot);
    added_.push_back(snapshot.id);
    return {};
  }

  Status set_ref(const std::string& name, const SnapshotRef& ref) {
    const Snapshot* snapshot = m.snapshot(ref.snapshot_id);
    if (!snapshot)
      return refused("ref " + name + ": there is no snapshot " + std::to_string(ref.snapshot_id));
    if (name == "main") {
      if (!ref.is_branch) return refused("main is a branch and cannot become a tag");
      bool is_new = std::find(added_.begin(), added_.end(), ref.snapshot_id) != added_.end();
      if (m.current_snapshot_id != ref.snapshot_id) {
        m.snapshot_log.push_back({is_new ? snapshot->timestamp_millis : now_, ref.snapshot_id});
      }
      m.current_snapshot_id = ref.snapshot_id;
    }
    m.refs[name] = ref;
    return {};
  }

  Status remove_snapshots(const std::vector<int64_t>& ids) {
    auto gone = [&](int64_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
    std::erase_if(m.snapshots, [&](const Snapshot& snapshot) { return gone(snapshot.id); });
    std::erase_if(m.refs, [&](const auto& ref) { return gone(ref.second.snapshot_id); });
    if (m.current_snapshot_id && gone(*m.current_snapshot_id)) m.current_snapshot_id.reset();
    auto of_gone = [&](const Json& file) { return gone(file["snapshot-id"].as_int()); };
    std::erase_if(m.statistics, of_gone);
    std::erase_if(m.partition_statistics, of_gone);
    // History before a removed snapshot can no longer be read: it goes too.
    std::vector<SnapshotLogEntry> log;
    for (const SnapshotLogEntry& entry : m.snapshot_log) {
      if (gone(entry.snapshot_id))
        log.clear();
      else
        log.push_back(entry);
    }
    m.snapshot_log = std::move(log);
    return {};
  }

  static void replace_statistics(std::vector<Json>* files, const Json& file) {
    std::erase_if(*files,
                  [&](const Json& old) { return old["snapshot-id"] == file["snapshot-id"]; });
    files->push_back(file);
  }

  static void remove_statistics(std::vector<Json>* files, const std::vector<int64_t>& ids) {
    std::erase_if(*files, [&](const Json& old) {
      return std::find(ids.begin(), ids.end(), old["snapshot-id"].as_int()) != ids.end();
    });
  }

  Status apply_rest(const Update& update) {
    switch (update.kind) {
      case UpdateKind::set_properties:
        for (const auto& [key, value] : update.properties) m.properties[key] = value;
        // Engines upgrade a table by this reserved property; it is never stored.
        if (auto version = m.properties.extract("format-version"); !version.empty()) {
          return upgrade(std::atoi(version.mapped().c_str()));
        }
        return {};
      case UpdateKind::remove_properties:
        for (const std::string& key : update.removals) m.properties.erase(key);
        return {};
      case UpdateKind::set_statistics: replace_statistics(&m.statistics, update.json); return {};
      case UpdateKind::set_partition_statistics:
        replace_statistics(&m.partition_statistics, update.json);
        return {};
      case UpdateKind::remove_statistics:
        remove_statistics(&m.statistics, update.snapshot_ids);
        return {};
      case UpdateKind::remove_partition_statistics:
        remove_statistics(&m.partition_statistics, update.snapshot_ids);
        return {};
      case UpdateKind::remove_specs:
        if (std::find(update.numbers.begin(), update.numbers.end(), m.default_spec_id) !=
            update.numbers.end()) {
          return refused("the default partition spec cannot be removed");
        }
        remove_ids(m.specs, update.numbers);
        return {};
      case UpdateKind::remove_schemas:
        if (std::find(update.numbers.begin(), update.numbers.end(), m.current_schema_id) !=
            update.numbers.end()) {
          return refused("the current schema cannot be removed");
        }
        remove_ids(m.schemas, update.numbers);
        return {};
      default: return refused("an update is not known");
    }
  }

  // The default spec and order must refer to columns of the current schema.
  Status check_sources() const {
    for (const PartitionField& field : m.default_spec().fields) {
      const Field* source = m.current_schema().find(field.source_id);
      if (!source) {
        if (field.transform.kind == TransformKind::void_) continue;
        return refused("Cannot find source column for partition field: " + field.name);
      }
      if (auto type = transform_result_type(field.transform, source->type); !type) {
        return refused("Invalid partition field " + field.name + ": " + type.error().message);
      }
    }
    for (const SortField& field : m.default_sort_order().fields) {
      if (!m.current_schema().find(field.source_id)) {
        return refused("Cannot find source column for sort field: " +
                       std::to_string(field.source_id));
      }
    }
    return {};
  }
};

}  // namespace

Requirement Requirement::uuid(std::string uuid) {
  return {.kind = Kind::table_uuid, .text = std::move(uuid)};
}

Requirement Requirement::ref(std::string name, std::optional<int64_t> snapshot_id) {
  return {.kind = Kind::ref_snapshot_id, .text = std::move(name), .snapshot_id = snapshot_id};
}

Requirement Requirement::of(Kind kind, int number) { return {.kind = kind, .number = number}; }

Update Update::add(Snapshot snapshot) {
  Update update;
  update.kind = Kind::add_snapshot;
  update.snapshot = std::move(snapshot);
  return update;
}

Update Update::set_ref(std::string name, int64_t snapshot_id) {
  Update update;
  update.kind = Kind::set_snapshot_ref;
  update.text = std::move(name);
  update.ref.snapshot_id = snapshot_id;
  return update;
}

Update Update::set(Properties properties) {
  Update update;
  update.kind = Kind::set_properties;
  update.properties = std::move(properties);
  return update;
}

Status check_requirements(const TableMetadata* base, const std::vector<Requirement>& requirements) {
  for (const Requirement& requirement : requirements) RETURN_IF_ERROR(check(base, requirement));
  return {};
}

Result<TableMetadata> apply_updates(const TableMetadata* base, const std::vector<Update>& updates,
                                    const ApplyOptions& options) {
  Applier applier(base ? *base : TableMetadata{}, base == nullptr, options.now_millis);
  for (const Update& update : updates) RETURN_IF_ERROR(applier.apply(update));
  RETURN_IF_ERROR(applier.finish());
  TableMetadata metadata = std::move(applier.m);
  if (base && !options.previous_location.empty()) {
    metadata.metadata_log.push_back({base->last_updated_millis, options.previous_location});
    auto keep = static_cast<size_t>(std::max<int64_t>(
        1,
        metadata.int_property("write.metadata.previous-versions-max", kPreviousVersionsDefault)));
    if (metadata.metadata_log.size() > keep) {
      metadata.metadata_log.erase(metadata.metadata_log.begin(),
                                  metadata.metadata_log.end() - static_cast<std::ptrdiff_t>(keep));
    }
  }
  // Time never runs backwards within a table, whatever the clocks of its writers say.
  metadata.last_updated_millis = std::max(metadata.last_updated_millis, options.now_millis);
  return metadata;
}

}  // namespace aichemy::tables::iceberg
