// Statements that people keep, for themselves or for all who may sign in. Kept in metadb; thread
// safe, blocking.
//
//  Q1  Somebody's own statements are shown to nobody else until they are shared.
//  Q2  A change names the version it was made from: of two changes at once, the second is refused.
//  Q3  Number and bytes are bounded, one owner's and of what is shared: a list is one answer.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "metadb/metadb.h"
#include "serve/console/api_schema.h"

namespace aichemy::serve::console {

struct SavedQuery {
  std::string id, owner, name, sql;
  std::string schema;  // that unqualified names mean; "" for none
  bool shared = false;
  int64_t version = 0;
  int64_t changed_millis = 0;
  std::string changed_by;
};

struct Person {
  std::string name;
  Role role = Role::nobody;
};

class SavedQueries {
 public:
  static constexpr size_t kNameBytesMax = 200;
  static constexpr size_t kSqlBytesMax = 100'000;
  static constexpr size_t kQueriesMax = 500;  // of one owner
  static constexpr size_t kOwnerBytesMax = 2 << 20;  // their statements together
  static constexpr size_t kSharedMax = 2'000;        // of all owners
  static constexpr size_t kSharedBytesMax = 8 << 20;

  SavedQueries(metadb::Database& database, Clock& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  // The person's own and what is shared, by name.
  Result<std::vector<SavedQuery>> list(const Person& person);
  // invalid ("name", "sql"), denied ("role") when a viewer shares, exists ("name_taken"), exhausted
  // ("too_many_saved_queries").
  Result<SavedQuery> add(const Person& person, SavedQuery query);
  // By its owner, or an admin when it is shared. Also not_found ("no_such_saved_query"), denied
  // ("not_yours"), conflict ("changed_meanwhile").
  Result<SavedQuery> change(const Person& person, const std::string& id, SavedQuery query);
  Status remove(const Person& person, const std::string& id);

 private:
  metadb::Database& database_;
  Clock& clock_;
  Random& random_;
};

}  // namespace aichemy::serve::console
