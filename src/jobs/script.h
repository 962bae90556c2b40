// Flink SQL scripts: the statements of a job. Understood today: CREATE TABLE ... WITH (...) of a
// Kafka source with JSON values, INSERT INTO catalog.schema.table SELECT ..., and the statements
// about jobs. Everything else answers unsupported, naming it.
//
// Names in backticks keep their case; a column's name is its JSON member, so names compare exactly.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sql/types/type.h"

namespace aichemy::jobs {

struct SourceColumn {
  std::string name;
  sql::Type type;
  bool required = false;  // NOT NULL
  std::optional<std::string>
      metadata;  // METADATA FROM 'timestamp': topic, partition, offset, timestamp, key
};

struct CreateSource {
  std::string name;
  std::vector<SourceColumn> columns;
  std::map<std::string, std::string> options;  // WITH (...)
  std::string text;                            // the statement as it was written
};

struct InsertInto {
  std::vector<std::string> target;   // catalog, schema, table
  std::vector<std::string> columns;  // (a, b): empty when not given
  std::string query;                 // SELECT ..., backticks turned into double quotes
  std::string text;
};

enum class JobAction : uint8_t { show, pause, resume, stop };
struct JobCommand {
  JobAction action = JobAction::show;
  std::string job;  // id or name; "" for show
};

using Statement = std::variant<CreateSource, InsertInto, JobCommand>;

// invalid ("syntax"), unsupported ("statement"): "line L:C: ...".
Result<std::vector<Statement>> parse_script(std::string_view script);

}  // namespace aichemy::jobs
