// The JSON of job_epochs rows: offsets and the files an epoch wrote (docs/formats/jobs.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sql/connectors/connector.h"
#include "wire/schema.h"

namespace aichemy::jobs {

using TopicPartition = std::pair<std::string, int32_t>;

// Where a job reads on. A topic made anew under its name has another id, and its log begins again.
struct Position {
  wire::Uuid topic_id{};  // all zero: stored before ids were, taken from the topic that is there
  int64_t offset = 0;
};
using Positions = std::map<TopicPartition, Position>;

Json offsets_to_json(const Positions& offsets);
Result<Positions> offsets_from_json(const Json& json);

// What an epoch wrote for one table, and what its connector said about it when the insert began
// (how the files are divided): finishing it later needs both.
struct WrittenBatch {
  std::vector<sql::WrittenFile> files;
  std::map<std::string, std::string> summary;
};
Json batch_to_json(const WrittenBatch& batch);
Result<WrittenBatch> batch_from_json(const Json& json);

}  // namespace aichemy::jobs
