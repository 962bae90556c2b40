// What the parts of Catalog share: the rows of metadb and the caches of what they point to. Private
// to the module.
#pragma once

#include <array>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "catalog/catalog.h"

namespace aichemy::catalog {

inline constexpr char kLevelSeparator = '\x1f';

// "a\x1fb"; the key of a namespace in metadb.
std::string path_of(const NamespaceName& space);
NamespaceName space_of(std::string_view path);

// invalid ("invalid_name"): empty, longer than 255 bytes, not UTF-8, or with control characters.
Status check_name(const NamespaceName& space);
Status check_name(const EntityName& name);

enum class RelationKind : uint8_t { table, view };
const char* kind_text(RelationKind kind);

struct RelationRow {
  RelationKind kind = RelationKind::table;
  bool is_iceberg = true;  // Hive relations belong to HiveCatalog
  int64_t namespace_id = 0;
  std::string uuid;
  std::string metadata_location;

  bool is(RelationKind wanted) const { return is_iceberg && kind == wanted; }
};

// Rows. no_such_namespace.
Result<int64_t> find_namespace(metadb::Transaction& transaction, const NamespaceName& space);
// None when there is no such name; no_such_namespace is "none" too.
Result<std::optional<RelationRow>> find_relation(metadb::Transaction& transaction,
                                                 const EntityName& name);
// exists ("table_exists", "view_exists") when the name is taken by either.
Status insert_relation(metadb::Transaction& transaction, const EntityName& name,
                       const RelationRow& row, int64_t now_millis);
// conflict ("commit_failed") when the pointer is no longer `from`.
Status swap_pointer(metadb::Transaction& transaction, const EntityName& name, int64_t namespace_id,
                    const std::string& from, const std::string& to, int64_t now_millis);

// Adds to the events of clients that follow changes (hive_catalog.h); only namespaces of one level
// have them.
Status record_event(metadb::Transaction& transaction, std::string_view kind,
                    const NamespaceName& space, std::string_view table, int64_t now_millis);

// Partitions and statistics of a relation that goes.
Status drop_hive_rows(metadb::Transaction& transaction, const std::string& table_id);

std::unexpected<Error> no_such_relation(const EntityName& name, RelationKind kind);

// Immutable values by location, least recently used out first.
template <class T>
class PointerCache {
 public:
  explicit PointerCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  std::shared_ptr<const T> find(const std::string& location) {
    std::lock_guard lock(mutex_);
    auto found = by_location_.find(location);
    if (found == by_location_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  void keep(const std::string& location, std::shared_ptr<const T> value, size_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > bytes_max_ || by_location_.contains(location)) return;
    entries_.push_front({location, std::move(value), bytes});
    by_location_[location] = entries_.begin();
    bytes_ += bytes;
    while (bytes_ > bytes_max_) {
      bytes_ -= entries_.back().bytes;
      by_location_.erase(entries_.back().location);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    std::string location;
    std::shared_ptr<const T> value;
    size_t bytes = 0;
  };
  const size_t bytes_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_location_;
  size_t bytes_ = 0;
};

struct Catalog::State {
  State(metadb::Database& the_database, Clock& the_clock, Random& the_random, Metrics& metrics,
        const Options& options);

  metadb::Database& database;
  Clock& clock;
  Random& random;
  Counter& commits;
  Counter& commit_conflicts;
  PointerCache<tables::iceberg::TableMetadata> metadata_cache;
  PointerCache<ViewMetadata> view_cache;
  tables::iceberg::ManifestCache manifests;
  // Commits of one table take turns within this process, so that only writers outside it ever lose
  // the swap.
  std::array<std::mutex, 64> commit_turns;

  std::mutex& turn_of(const TableName& name) {
    return commit_turns[std::hash<std::string>()(name_text(name)) % commit_turns.size()];
  }
};

}  // namespace aichemy::catalog
