// The schema's history. Each file is applied once, in order of name, in one transaction with the
// note that it was; a file that has been released is never edited.
#pragma once

#include <span>
#include <string_view>

namespace aichemy::metadb {

struct Migration {
  std::string_view name;  // "0001_catalog.sql"
  std::string_view sql;
};

std::span<const Migration> migrations();

}  // namespace aichemy::metadb
