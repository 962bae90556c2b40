// Hive's types as the Metastore spells them ("map<string,array<int>>") and Trino's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/types/type.h"

namespace aichemy::sql {

// unsupported ("NOT_SUPPORTED") for what Trino has no type for: unions, void, instants, intervals.
// invalid ("HIVE_INVALID_METADATA") when it is no type at all.
Result<Type> type_of_hive(std::string_view text);

// unsupported ("NOT_SUPPORTED") in Trino's words for what no Hive column can hold.
Result<std::string> hive_type(const Type& type, std::string_view column);

}  // namespace aichemy::sql
