// The table property schema.name-mapping.default: names for files written without field ids.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/scan_plan.h"
#include "tables/types.h"

namespace aichemy::tables {

// corrupt ("name_mapping"); nothing for an empty text.
Result<std::vector<NameMapping>> name_mapping_from_text(std::string_view text);

std::string name_mapping_text(const std::vector<NameMapping>& mappings);
// Every column by its own name.
std::vector<NameMapping> name_mapping_of(const std::vector<Field>& fields);

}  // namespace aichemy::tables
