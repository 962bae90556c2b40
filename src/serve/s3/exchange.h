// One S3 request under way: what was asked, and the helpers all handlers share. Lives on one io
// loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/aws_chunked.h"
#include "auth/session_keys.h"
#include "auth/sigv4.h"
#include "base/checksum.h"
#include "objectstore/object_store.h"
#include "serve/http/http.h"
#include "serve/s3/s3.h"
#include "serve/s3/xml.h"

namespace aichemy::serve::s3 {

struct Services {
  Pool& pool;
  Clock& clock;
  Random& random;
  objectstore::ObjectStore& store;
  auth::AccessKeys& keys;
  S3Options options;
};

struct Exchange {
  Exchange(Services& to, http::Request& in, http::Response& out)
      : services(to), request(in), response(out) {}

  Services& services;
  http::Request& request;
  http::Response& response;
  std::string bucket;
  std::string key;
  std::multimap<std::string, std::string> parameters;
  auth::Verified verified;
  std::optional<auth::SessionGrant> session;  // none: a key for everything

  bool has(const std::string& parameter) const { return parameters.contains(parameter); }
  std::string parameter(const std::string& name) const;  // "" when absent
  std::string_view header(std::string_view name) const { return request.headers.get(name); }
  objectstore::ObjectStore& store() { return services.store; }
  const Call& call() const { return request.call; }
  // denied ("session_scope") when the request's key is not for this object.
  Status may_use(std::string_view bucket, std::string_view key) const;
  std::string owner_id() const;

  // Whole answers.
  Async<Status> send_xml(std::string xml);
  Async<Status> send_empty(int status);
};

// --- requests -> store
// ----------------------------------------------------------------------------------

// Numbers of parameters and headers: invalid ("argument") naming it.
Result<int64_t> number_of(std::string_view name, std::string_view text, int64_t least,
                          int64_t most);
std::optional<WallTime> parse_http_date(std::string_view text);
std::vector<std::string> parse_etags(std::string_view text);
// From If-* headers, or from another prefix ("x-amz-copy-source-").
objectstore::Conditions conditions_of(const http::Headers& headers, const std::string& prefix);
// Content type, stored headers, user metadata.
Result<objectstore::PutOptions> put_options_of(const Exchange& exchange);
// Headers that would mean something we do not do.
Status refuse_unsupported_headers(const Exchange& exchange);
// "x-amz-checksum-crc32" -> "crc32"; "" for other headers.
std::string checksum_algorithm_of(std::string_view header);
// SDK spelling ("CRC64NVME") to ours ("crc64nvme"); invalid ("argument").
Result<std::string> algorithm_name(std::string_view sdk_name);

struct CopySource {
  std::string bucket;
  std::string key;
};
Result<CopySource> copy_source_of(const Exchange& exchange);

struct ByteRange {
  uint64_t offset = 0;
  uint64_t count = 0;
};
// nullopt: the whole object (no, several, or a meaningless range). invalid ("invalid_range") when
// beyond the end.
Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size);

// --- store -> answers
// --------------------------------------------------------------------------------------

std::string quoted(std::string_view etag);
void object_headers(const objectstore::ObjectInfo& info, bool with_checksums,
                    http::Headers& headers);
void checksum_headers(const objectstore::ObjectInfo& info, http::Headers& headers);
void checksum_elements(const std::map<std::string, std::string>& checksums, XmlWriter& xml);
std::string error_xml(const Exchange& exchange, const Error& error);

// --- bodies

// Takes the body into a writer: in large steps, decoded and hashed on the pool.
Async<Result<objectstore::ObjectInfo>> receive_object(
    Exchange& exchange,
    std::function<
        Result<std::unique_ptr<objectstore::ObjectWriter>>(objectstore::PutOptions options)>
        open,
    objectstore::PutOptions options);
// A small document, its digests checked.
Async<Result<std::string>> receive_document(Exchange& exchange, size_t bytes_max);

// Copies a range into a writer. Blocking.
Result<objectstore::ObjectInfo> copy_bytes(objectstore::ObjectReader& from, ByteRange range,
                                           objectstore::ObjectWriter& to);

// --- handlers (routes.cc names them)
// ---------------------------------------------------------------------

using Handler = Async<Status> (*)(Exchange&);

Async<Status> list_buckets(Exchange&);
Async<Status> create_bucket(Exchange&);
Async<Status> head_bucket(Exchange&);
Async<Status> delete_bucket(Exchange&);
Async<Status> get_location(Exchange&);
Async<Status> get_versioning(Exchange&);
Async<Status> get_acl(Exchange&);
Async<Status> list_objects(Exchange&);
Async<Status> list_objects_v2(Exchange&);
Async<Status> list_versions(Exchange&);
Async<Status> delete_objects(Exchange&);
Async<Status> list_uploads(Exchange&);

Async<Status> put_object(Exchange&);
Async<Status> get_object(Exchange&);
Async<Status> head_object(Exchange&);
Async<Status> delete_object(Exchange&);
Async<Status> copy_object(Exchange&);
Async<Status> get_attributes(Exchange&);
Async<Status> get_tagging(Exchange&);
Async<Status> put_tagging(Exchange&);
Async<Status> delete_tagging(Exchange&);

Async<Status> create_upload(Exchange&);
Async<Status> upload_part(Exchange&);
Async<Status> upload_part_copy(Exchange&);
Async<Status> complete_upload(Exchange&);
Async<Status> abort_upload(Exchange&);
Async<Status> list_parts(Exchange&);

}  // namespace aichemy::serve::s3
