#include "serve/s3/routes.h"

namespace aichemy::serve::s3 {
namespace {

constexpr Route kRoutes[] = {
    {Level::service, "GET", "", "", list_buckets},

    {Level::bucket, "GET", "location", "", get_location},
    {Level::bucket, "GET", "versioning", "", get_versioning},
    {Level::bucket, "GET", "acl", "", get_acl},
    {Level::bucket, "GET", "versions", "", list_versions},
    {Level::bucket, "GET", "uploads", "", list_uploads},
    {Level::bucket, "GET", "list-type", "", list_objects_v2},
    {Level::bucket, "POST", "delete", "", delete_objects},

    {Level::object, "GET", "uploadId", "", list_parts},
    {Level::object, "GET", "attributes", "", get_attributes},
    {Level::object, "GET", "acl", "", get_acl},
    {Level::object, "GET", "tagging", "", get_tagging},
    {Level::object, "PUT", "tagging", "", put_tagging},
    {Level::object, "DELETE", "tagging", "", delete_tagging},
    {Level::object, "POST", "uploads", "", create_upload},
    {Level::object, "POST", "uploadId", "", complete_upload},
    {Level::object, "PUT", "partNumber", "x-amz-copy-source", upload_part_copy},
    {Level::object, "PUT", "partNumber", "", upload_part},
    {Level::object, "DELETE", "uploadId", "", abort_upload},

    // Rows from here on take requests without a subresource.
    {Level::bucket, "GET", "", "", list_objects},
    {Level::bucket, "PUT", "", "", create_bucket},
    {Level::bucket, "HEAD", "", "", head_bucket},
    {Level::bucket, "DELETE", "", "", delete_bucket},
    {Level::object, "PUT", "", "x-amz-copy-source", copy_object},
    {Level::object, "PUT", "", "", put_object},
    {Level::object, "GET", "", "", get_object},
    {Level::object, "HEAD", "", "", head_object},
    {Level::object, "DELETE", "", "", delete_object},
};

constexpr Subresource kSubresources[] = {
    {Level::bucket, "accelerate", ""},
    {Level::bucket, "acl", ""},
    {Level::bucket, "analytics", ""},
    {Level::bucket, "cors", "no_such_cors"},
    {Level::bucket, "encryption", "no_such_encryption"},
    {Level::bucket, "intelligent-tiering", ""},
    {Level::bucket, "inventory", ""},
    {Level::bucket, "lifecycle", "no_such_lifecycle"},
    {Level::bucket, "logging", ""},
    {Level::bucket, "metrics", ""},
    {Level::bucket, "notification", ""},
    {Level::bucket, "object-lock", "no_such_lock"},
    {Level::bucket, "ownershipControls", "no_such_ownership"},
    {Level::bucket, "policy", "no_such_policy"},
    {Level::bucket, "policyStatus", "no_such_policy"},
    {Level::bucket, "publicAccessBlock", "no_such_public_access_block"},
    {Level::bucket, "replication", "no_such_replication"},
    {Level::bucket, "requestPayment", ""},
    {Level::bucket, "session", ""},
    {Level::bucket, "tagging", "no_such_tag_set"},
    {Level::bucket, "versioning", ""},
    {Level::bucket, "website", "no_such_website"},
    {Level::object, "acl", ""},
    {Level::object, "legal-hold", "no_such_lock"},
    {Level::object, "restore", ""},
    {Level::object, "retention", "no_such_lock"},
    {Level::object, "select", ""},
    {Level::object, "tagging", ""},
    {Level::object, "torrent", ""},
};

Level level_of(const Exchange& exchange) {
  if (exchange.bucket.empty()) return Level::service;
  return exchange.key.empty() ? Level::bucket : Level::object;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }
std::span<const Subresource> subresources() { return kSubresources; }

Result<Handler> find_route(const Exchange& exchange) {
  Level level = level_of(exchange);
  const Subresource* refused = nullptr;
  for (const Subresource& row : kSubresources) {
    if (row.level == level && exchange.has(row.parameter)) refused = &row;
  }
  bool level_known = false;
  for (const Route& row : kRoutes) {
    if (row.level != level || exchange.request.method != row.method) continue;
    level_known = true;
    bool plain = row.parameter[0] == '\0';
    if (plain ? refused != nullptr : !exchange.has(row.parameter)) continue;
    if (row.header[0] != '\0' && !exchange.request.headers.has(row.header)) continue;
    return row.handler;
  }
  if (refused) {
    if (exchange.request.method == "GET" && refused->absent[0] != '\0') {
      return fail(Code::not_found, refused->absent, "");
    }
    return fail(Code::unsupported, "subresource", "");
  }
  (void)level_known;
  return fail(Code::unsupported, "method", "");
}

}  // namespace aichemy::serve::s3
