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

namespace aichemy::jobs {

Json offsets_to_json(const std::map<std::pair<std::string, int32_t>, int64_t>& offsets);
Result<std::map<std::pair<std::string, int32_t>, int64_t>> offsets_from_json(const Json& json);
Json files_to_json(const std::vector<sql::WrittenFile>& files);
Result<std::vector<sql::WrittenFile>> files_from_json(const Json& json);

}  // namespace aichemy::jobs
