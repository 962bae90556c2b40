// Errors as the specification's ErrorModel. Clients act on status and type. 500, 502 and 504 tell a
// client that a commit may have happened: only errors after which that is true may have them.
#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

// Particular words first; each Code ends with its row for any other.
constexpr ErrorRow kErrors[] = {
    {Code::not_found, "no_such_namespace", 404, "NoSuchNamespaceException"},
    {Code::not_found, "no_such_table", 404, "NoSuchTableException"},
    {Code::not_found, "no_such_view", 404, "NoSuchViewException"},
    {Code::not_found, "no_such_plan", 404, "NoSuchPlanIdException"},
    {Code::not_found, "no_such_plan_task", 404, "NoSuchPlanTaskException"},
    {Code::not_found, "no_such_snapshot", 404, "NotFoundException"},
    {Code::not_found, "no_such_route", 404, "NotFoundException"},
    {Code::not_found, "", 404, "NotFoundException"},
    {Code::exists, "", 409, "AlreadyExistsException"},
    {Code::conflict, "namespace_not_empty", 409, "NamespaceNotEmptyException"},
    {Code::conflict, "", 409, "CommitFailedException"},
    {Code::invalid, "update", 400, "ValidationException"},
    {Code::invalid, "method", 405, "BadRequestException"},
    {Code::invalid, "properties_overlap", 422, "UnprocessableEntityException"},
    {Code::invalid, "", 400, "BadRequestException"},
    {Code::unauthenticated, "", 401, "NotAuthorizedException"},
    {Code::denied, "", 403, "ForbiddenException"},
    {Code::exhausted, "body_too_large", 413, "BadRequestException"},
    {Code::exhausted, "", 503, "ServiceUnavailableException"},
    {Code::unsupported, "", 406, "UnsupportedOperationException"},
    {Code::unavailable, "", 503, "ServiceUnavailableException"},
    {Code::timeout, "", 503, "ServiceUnavailableException"},
    {Code::cancelled, "", 503, "ServiceUnavailableException"},
    {Code::corrupt, "", 422, "UnprocessableEntityException"},
    {Code::internal, "commit_unknown", 500, "CommitStateUnknownException"},
    {Code::internal, "", 500, "InternalServerError"},
};

}  // namespace

std::span<const ErrorRow> error_rows() { return kErrors; }

const ErrorRow& error_row(const Error& error) {
  for (const ErrorRow& row : kErrors) {
    if (row.code == error.code && (row.what.empty() || row.what == error.what)) return row;
  }
  return kErrors[std::size(kErrors) - 1];
}

Json error_json(const Error& error) {
  const ErrorRow& row = error_row(error);
  Json model = Json::object();
  model.set("message", error.message);
  model.set("type", row.type);
  model.set("code", row.status);
  Json json = Json::object();
  json.set("error", std::move(model));
  return json;
}

}  // namespace aichemy::serve::iceberg
