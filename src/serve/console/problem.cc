#include "serve/console/problem.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "sql/types/trino_errors.h"

namespace aichemy::serve::console {
namespace {

constexpr std::array<ProblemRow, kCodeCount> kRows = {{
    {Code::invalid, 400, "The request is wrong"},
    {Code::unauthenticated, 401, "Sign in first"},
    {Code::denied, 403, "Not allowed"},
    {Code::not_found, 404, "Not found"},
    {Code::exists, 409, "Already there"},
    {Code::conflict, 409, "Somebody was faster"},
    {Code::exhausted, 429, "Too much at once"},
    {Code::unsupported, 501, "Not offered"},
    {Code::unavailable, 503, "A part is away"},
    {Code::timeout, 504, "It took too long"},
    {Code::cancelled, 409, "Cancelled"},
    {Code::corrupt, 500, "Damaged data"},
    {Code::internal, 500, "An error of ours"},
}};

}  // namespace

const ProblemRow& problem_row(Code code) {
  auto found = std::ranges::find(kRows, code, &ProblemRow::code);
  CHECK(found != kRows.end());
  return *found;
}

Json problem_document(const Error& error, const std::string& request) {
  const ProblemRow& row = problem_row(error.code);
  std::string_view what = error.what;
  Json out;
  out.set("type", "urn:aichemy:problem:" + std::string(what));
  out.set("title", row.title).set("status", row.status);
  out.set("detail", error.message).set("code", what);
  if (!request.empty()) out.set("instance", request);
  if (auto at = sql::error_location(error.message))
    out.set("line", at->line).set("column", at->column);
  return out;
}

}  // namespace aichemy::serve::console
