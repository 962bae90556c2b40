// SQL routines that are stored in schemas, as the analyzer sees them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace aichemy::sql {

struct StoredRoutine {
  std::string catalog, schema, name;  // lower case
  std::string signature;              // "(bigint,varchar)": tells overloads apart
  std::string sql;                    // FUNCTION name(...) RETURNS ...; see parse_routine()
  std::string path;                   // of the session that made it: its body's names
  std::optional<std::string> owner;   // none: SECURITY INVOKER
  std::string full_name() const { return catalog + "." + schema + "." + name; }
};

// Thread safe.
class Routines {
 public:
  virtual ~Routines() = default;
  // In order of name and signature; without a name all of the schema.
  virtual std::vector<StoredRoutine> find(const std::string& catalog, const std::string& schema,
                                          const std::string& name) const = 0;
};

}  // namespace aichemy::sql
