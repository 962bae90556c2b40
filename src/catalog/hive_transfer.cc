#include "catalog/hive_transfer.h"

#include <algorithm>

#include "catalog/hive_contents.h"

namespace aichemy::catalog {

namespace {

namespace thrift = wire::thrift;

void drop_empty(std::optional<std::string>* text) {
  if (*text && (*text)->empty()) text->reset();
}

template <class T>
void fill(std::optional<T>* value, T with = {}) {
  if (!*value) *value = std::move(with);
}

void make_canonical(hive::StorageDescriptor* storage) {
  fill(&storage->columns);
  drop_empty(&storage->location);
  drop_empty(&storage->input_format);
  drop_empty(&storage->output_format);
  fill(&storage->compressed);
  fill(&storage->buckets);
  fill(&storage->serde);
  hive::SerDeInfo& serde = *storage->serde;
  for (auto* text : {&serde.name, &serde.serialization_library, &serde.description,
                     &serde.serializer_class, &serde.deserializer_class})
    drop_empty(text);
  fill(&serde.parameters);
  serde.serde_type.reset();  // of the schema registry, which nobody has
  fill(&storage->bucket_columns);
  fill(&storage->sort_columns);
  fill(&storage->parameters);
  fill(&storage->stored_as_sub_directories);
  fill(&storage->skewed);
}

void make_canonical(hive::Table* table) {
  fill(&table->owner);
  drop_empty(&table->view_original_text);
  drop_empty(&table->view_expanded_text);
  fill(&table->create_time);
  fill(&table->last_access_time);
  fill(&table->retention);
  fill(&table->storage);
  make_canonical(&*table->storage);
  fill(&table->partition_keys);
  fill(&table->parameters);
  fill(&table->rewrite_enabled);
  table->owner_type = static_cast<int32_t>(hive::PrincipalType::user);  // no role owns a table
  table->temporary.reset();
  table->catalog_name.reset();
}

void make_canonical(hive::Partition* partition) {
  partition->database_name.reset();
  partition->table_name.reset();
  partition->catalog_name.reset();
  fill(&partition->create_time);
  fill(&partition->last_access_time);
  fill(&partition->parameters);
  fill(&partition->storage);
  make_canonical(&*partition->storage);
}

void make_canonical(hive::Function* function) {
  function->catalog_name.reset();
  drop_empty(&function->class_name);
  drop_empty(&function->owner);
  fill(&function->owner_type, int32_t{1});
  fill(&function->create_time);
  fill(&function->function_type, int32_t{1});
  fill(&function->resources);
}

template <class T>
bool same(const T& a, const T& b) {
  return thrift::encode(a) == thrift::encode(b);
}

bool same(const StatisticsByColumn& a, const StatisticsByColumn& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.analyzed_seconds == y.second.analyzed_seconds &&
           same(x.second.object, y.second.object);
  });
}

// "" when both are the same.
std::string difference(const TableContents& from, const TableContents& to) {
  std::vector<std::string> parts;
  if (!same(from.table, to.table)) parts.push_back("its description");
  int64_t missing = 0, differing = 0, further = 0;
  bool statistics = same(from.statistics, to.statistics);
  for (const auto& [name, mine] : from.partitions) {
    auto other = to.partitions.find(name);
    if (other == to.partitions.end()) {
      ++missing;
      continue;
    }
    differing += !same(mine.partition, other->second.partition);
    statistics = statistics && same(mine.statistics, other->second.statistics);
  }
  for (const auto& [name, theirs] : to.partitions) further += !from.partitions.contains(name);
  if (missing > 0) parts.push_back(std::to_string(missing) + " partitions are missing");
  if (differing > 0) parts.push_back(std::to_string(differing) + " partitions");
  if (further > 0) parts.push_back(std::to_string(further) + " partitions are further ones");
  if (!statistics) parts.push_back("its column statistics");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// Two tables of one name that cannot become each other.
std::optional<std::string> contradiction(const TableContents& from, const TableContents& to) {
  if (from.is_iceberg() != to.is_iceberg())
    return "one side has an Iceberg table of this name, the other a Hive table";
  std::string mine = parameter(from.table, "uuid"), theirs = parameter(to.table, "uuid");
  if (from.is_iceberg() && !mine.empty() && !theirs.empty() && mine != theirs)
    return "the other side has another Iceberg table of this name (uuid " + theirs + ")";
  return std::nullopt;
}

class Planner {
 public:
  Planner(MetastoreSide& to, const TransferOptions& options, TransferPlan& plan)
      : to_(to), options_(options), plan_(plan) {}

  Status add(DatabaseContents from, const DatabaseContents* to) {
    auto& report = plan_.report;
    std::ranges::move(from.refusals, std::back_inserter(report.refusals));
    const std::string& name = *from.database.name;
    if (!to) put(from.database, false, &report.databases);
    // Each metastore has a `default` of its own.
    else if (name == kDefaultDatabase || same(from.database, to->database))
      ++report.databases.same;
    else
      differs("database " + name, "its description", from.database, &report.databases);
    for (auto& [table_name, table] : from.tables)
      RETURN_IF_ERROR(add(std::move(table), find(to ? &to->tables : nullptr, table_name)));
    for (auto& [function_name, function] : from.functions) {
      const hive::Function* other = find(to ? &to->functions : nullptr, function_name);
      if (!other)
        put(function, false, &report.functions);
      else if (same(function, *other))
        ++report.functions.same;
      else
        differs("function " + name + "." + function_name, "its description", function,
                &report.functions);
    }
    return {};
  }

 private:
  MetastoreSide& to_;
  const TransferOptions& options_;
  TransferPlan& plan_;

  template <class T>
  static const T* find(const std::map<std::string, T>* values, const std::string& name) {
    if (!values) return nullptr;
    auto found = values->find(name);
    return found == values->end() ? nullptr : &found->second;
  }

  template <class T>
  void put(T value, bool replaces, TransferCount* count) {
    ++(replaces ? count->replaced : count->added);
    plan_.steps.push_back([value = std::move(value), replaces](MetastoreSide& side) {
      return side.put(value, replaces);
    });
  }

  template <class T>
  void differs(const std::string& what, const std::string& how, T value, TransferCount* count) {
    if (options_.replace) return put(std::move(value), true, count);
    plan_.report.differences.push_back(what + " differs: " + how);
  }

  Status add(TableContents from, const TableContents* to) {
    auto& report = plan_.report;
    std::string name = from.full_name();
    ASSIGN_OR_RETURN(auto refused, to_.refusal(from));
    if (!refused && to) refused = contradiction(from, *to);
    if (refused) {
      report.refusals.push_back("table " + name + ": " + *refused);
      return {};
    }
    auto partitions = static_cast<int64_t>(from.partitions.size());
    if (!to) {
      report.partitions.added += partitions;
      put(std::move(from), false, &report.tables);
      return {};
    }
    std::string how = difference(from, *to);
    if (how.empty()) {
      ++report.tables.same;
      report.partitions.same += partitions;
      return {};
    }
    if (options_.replace) report.partitions.replaced += partitions;
    differs("table " + name, how, std::move(from), &report.tables);
    return {};
  }
};

}  // namespace

void DatabaseContents::make_canonical() {
  database.name = lower(*database.name);
  drop_empty(&database.description);
  drop_empty(&database.owner);
  fill(&database.owner_type, int32_t{1});
  fill(&database.parameters);
  database.privileges.reset();
  database.catalog_name.reset();
  database.create_time.reset();
  database.managed_location.reset();
  for (auto& [name, table] : tables) {
    catalog::make_canonical(&table.table);
    for (auto& [partition_name, partition] : table.partitions)
      catalog::make_canonical(&partition.partition);
  }
  for (auto& [name, function] : functions) catalog::make_canonical(&function);
}

Status TransferPlan::apply(MetastoreSide& to) const {
  for (const auto& step : steps) RETURN_IF_ERROR(step(to));
  return {};
}

Result<TransferPlan> plan_transfer(MetastoreSide& from, MetastoreSide& to,
                                   const TransferOptions& options) {
  TransferPlan plan;
  Planner planner(to, options, plan);
  ASSIGN_OR_RETURN(auto there, from.databases());
  ASSIGN_OR_RETURN(auto known, to.databases());
  std::vector<std::string> wanted;
  for (const std::string& name : options.databases) wanted.push_back(lower(name));
  for (const std::string& name : wanted) {
    if (std::ranges::find(there, name) == there.end())
      return fail(Code::not_found, "no_such_namespace", "there is no database " + name);
  }
  for (const std::string& name : wanted.empty() ? there : wanted) {
    ASSIGN_OR_RETURN(DatabaseContents contents, from.contents(name));
    contents.make_canonical();
    std::optional<DatabaseContents> other;
    if (std::ranges::find(known, name) != known.end()) {
      ASSIGN_OR_RETURN(other, to.contents(name));
      other->make_canonical();
      std::ranges::move(other->refusals, std::back_inserter(plan.report.refusals));
    }
    RETURN_IF_ERROR(planner.add(std::move(contents), other ? &*other : nullptr));
  }
  return plan;
}

Result<TransferReport> import_metastore(const TransferStores& stores,
                                        const TransferOptions& options) {
  ASSIGN_OR_RETURN(
      TransferPlan plan,
      stores.theirs.read([&](metadb::Transaction& transaction) -> Result<TransferPlan> {
        ASSIGN_OR_RETURN(auto from, foreign_side(transaction));
        auto to = own_side(stores, nullptr);
        return plan_transfer(*from, *to, options);
      }));
  if (options.dry_run || plan.steps.empty()) return std::move(plan.report);
  RETURN_IF_ERROR(stores.ours.transaction([&](metadb::Transaction& transaction) -> Status {
    return plan.apply(*own_side(stores, &transaction));
  }));
  return std::move(plan.report);
}

Result<TransferReport> export_metastore(const TransferStores& stores,
                                        const TransferOptions& options) {
  auto run = [&](metadb::Transaction& transaction) -> Result<TransferReport> {
    ASSIGN_OR_RETURN(auto to, foreign_side(transaction));
    auto from = own_side(stores, nullptr);
    ASSIGN_OR_RETURN(TransferPlan plan, plan_transfer(*from, *to, options));
    if (!options.dry_run) RETURN_IF_ERROR(plan.apply(*to));
    return std::move(plan.report);
  };
  return options.dry_run ? stores.theirs.read(run) : stores.theirs.transaction(run);
}

}  // namespace aichemy::catalog
