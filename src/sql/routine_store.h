// SQL routines of CREATE FUNCTION: read from memory; those of catalogs that outlive the process are
// kept in metadb too. Thread safe.
//
// R1: what find() shows of a durable routine has been committed.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "metadb/metadb.h"
#include "sql/analysis/routines.h"

namespace aichemy::sql {

class RoutineStore final : public Routines {
 public:
  // Without a database nothing is durable.
  static Result<std::unique_ptr<RoutineStore>> open(metadb::Database* database);

  std::vector<StoredRoutine> find(const std::string& catalog, const std::string& schema,
                                  const std::string& name) const override;
  // In the place of one with the same name and signature.
  Status put(const StoredRoutine& routine, bool durable);
  Status remove(const StoredRoutine& routine);
  // The schema is gone, or has another name now.
  Status forget(const std::string& catalog, const std::string& schema);
  Status rename(const std::string& catalog, const std::string& from, const std::string& to);

 private:
  // catalog, schema, name, signature
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  using Known = std::map<Key, StoredRoutine>;
  explicit RoutineStore(metadb::Database* database) : database_(database) {}

  metadb::Database* database_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Known> known_ = std::make_shared<const Known>();
  std::mutex change_;

  static Key key_of(const StoredRoutine& routine) {
    return {routine.catalog, routine.schema, routine.name, routine.signature};
  }
  std::shared_ptr<const Known> known() const;
  void show(Known changed);
  Status run(std::string_view sql, const std::vector<metadb::Cell>& values);
};

}  // namespace aichemy::sql
