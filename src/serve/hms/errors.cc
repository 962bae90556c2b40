// Errors in the Metastore's words: for each, the exceptions that say it, best first. The first that
// the method declares is thrown.
#include <array>

#include "serve/hms/errors.h"

namespace aichemy::serve::hms {

namespace {

constexpr ErrorRow kRows[] = {
    {Code::not_found, "no_such_lock", {Thrown::no_such_lock}},
    {Code::not_found,
     "no_such_namespace",
     {Thrown::no_such_object, Thrown::unknown_database, Thrown::invalid_operation}},
    {Code::not_found,
     "",
     {Thrown::no_such_object, Thrown::unknown_table, Thrown::invalid_operation}},
    {Code::exists, "", {Thrown::already_exists, Thrown::invalid_operation, Thrown::invalid_object}},
    {Code::conflict, "table_modified", {Thrown::meta}},
    {Code::conflict, "commit_failed", {Thrown::meta}},
    {Code::conflict, "", {Thrown::invalid_operation}},
    {Code::invalid, "invalid_filter", {Thrown::meta}},
    {Code::invalid, "", {Thrown::invalid_object, Thrown::invalid_operation}},
    {Code::unauthenticated, "", {Thrown::meta}},
    {Code::denied, "", {Thrown::meta}},
    {Code::exhausted, "", {Thrown::meta}},
    {Code::unsupported, "", {Thrown::meta}},
    {Code::unavailable, "", {Thrown::meta}},
    {Code::timeout, "", {Thrown::meta}},
    {Code::cancelled, "", {Thrown::meta}},
    {Code::corrupt, "", {Thrown::meta}},
    {Code::internal, "", {Thrown::meta}},
};

}  // namespace

std::span<const ErrorRow> error_rows() { return kRows; }

int16_t thrown_field(const Method& method, const Error& error) {
  auto field_of = [&](Thrown thrown) -> int16_t {
    for (size_t i = 0; i < method.throws.size(); ++i) {
      if (method.throws[i] == thrown) return static_cast<int16_t>(i + 1);
    }
    return 0;
  };
  for (const ErrorRow& row : kRows) {
    if (row.code != error.code || (!row.what.empty() && !error.is(row.what))) continue;
    for (const auto& thrown : row.thrown) {
      if (!thrown) break;
      if (int16_t field = field_of(*thrown)) return field;
    }
    break;
  }
  return field_of(Thrown::meta);
}

}  // namespace aichemy::serve::hms
