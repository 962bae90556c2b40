#include "serve/s3/error_table.h"

#include "base/check.h"

namespace aichemy::serve::s3 {
namespace {

constexpr ErrorRow kRows[] = {
    {Code::invalid, "invalid_bucket_name", "InvalidBucketName", 400,
     "The specified bucket is not valid."},
    {Code::invalid, "key_too_long", "KeyTooLongError", 400, "Your key is too long"},
    {Code::invalid, "invalid_key", "InvalidArgument", 400,
     "Object name contains unsupported characters."},
    {Code::invalid, "invalid_range", "InvalidRange", 416, ""},
    {Code::invalid, "invalid_part", "InvalidPart", 400, ""},
    {Code::invalid, "invalid_part_order", "InvalidPartOrder", 400, ""},
    {Code::invalid, "invalid_part_number", "InvalidArgument", 400, ""},
    {Code::invalid, "no_parts", "MalformedXML", 400,
     "The XML you provided was not well-formed or did not validate against our published schema"},
    {Code::invalid, "entity_too_small", "EntityTooSmall", 400,
     "Your proposed upload is smaller than the minimum allowed object size."},
    {Code::invalid, "entity_too_large", "EntityTooLarge", 400,
     "Your proposed upload exceeds the maximum allowed object size."},
    {Code::invalid, "metadata_too_large", "MetadataTooLarge", 400,
     "Your metadata headers exceed the maximum allowed metadata size."},
    {Code::invalid, "bad_digest", "BadDigest", 400,
     "The Content-Md5 you specified did not match what we received."},
    {Code::invalid, "bad_checksum", "XAmzContentChecksumMismatch", 400,
     "The provided 'x-amz-checksum' header does not match what was computed."},
    {Code::invalid, "content_sha256_mismatch", "XAmzContentSHA256Mismatch", 400,
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
    {Code::invalid, "invalid_digest", "InvalidDigest", 400,
     "The Content-Md5 you specified is not valid."},
    {Code::invalid, "incomplete_body", "IncompleteBody", 400,
     "You did not provide the number of bytes specified by the Content-Length HTTP header."},
    {Code::invalid, "body", "IncompleteBody", 400,
     "You did not provide the number of bytes specified by the Content-Length HTTP header."},
    {Code::invalid, "chunk_format", "InvalidRequest", 400, ""},
    {Code::invalid, "chunk_too_long", "InvalidRequest", 400, ""},
    {Code::invalid, "missing_length", "MissingContentLength", 411,
     "You must provide the Content-Length HTTP header."},
    {Code::invalid, "malformed_xml", "MalformedXML", 400, ""},
    {Code::invalid, "malformed_trailer", "MalformedTrailerError", 400,
     "The request contained trailing data that was not well-formed."},
    {Code::invalid, "authorization_malformed", "AuthorizationHeaderMalformed", 400, ""},
    {Code::invalid, "authorization_query", "AuthorizationQueryParametersError", 400, ""},
    {Code::invalid, "content_sha256", "InvalidArgument", 400, ""},
    {Code::invalid, "argument", "InvalidArgument", 400, ""},
    {Code::invalid, "region", "InvalidRegion", 400, ""},
    {Code::invalid, "storage_class", "InvalidStorageClass", 400, "Invalid storage class."},
    {Code::invalid, "too_many_tags", "BadRequest", 400, "Object tags cannot be greater than 10"},
    {Code::invalid, "tag_key", "InvalidTag", 400, ""},
    {Code::invalid, "tag_value", "InvalidTag", 400, ""},
    {Code::invalid, "tag_twice", "InvalidTag", 400, ""},
    {Code::invalid, "tag_text", "InvalidArgument", 400, ""},
    {Code::invalid, "", "InvalidRequest", 400, ""},
    {Code::unauthenticated, "invalid_access_key", "InvalidAccessKeyId", 403,
     "The Access Key Id you provided does not exist in our records."},
    {Code::unauthenticated, "signature_mismatch", "SignatureDoesNotMatch", 403, ""},
    {Code::unauthenticated, "invalid_token", "InvalidToken", 403,
     "The security token included in the request is invalid"},
    {Code::unauthenticated, "", "AccessDenied", 403, ""},
    {Code::denied, "expired_token", "ExpiredToken", 400, "The provided token has expired."},
    {Code::denied, "session_scope", "AccessDenied", 403, "Access Denied."},
    {Code::denied, "request_time_skewed", "RequestTimeTooSkewed", 403, ""},
    {Code::denied, "", "AccessDenied", 403, ""},
    {Code::not_found, "no_such_bucket", "NoSuchBucket", 404, "The specified bucket does not exist"},
    {Code::not_found, "no_such_key", "NoSuchKey", 404, "The specified key does not exist."},
    {Code::not_found, "no_such_version", "NoSuchVersion", 404,
     "The specified version does not exist."},
    {Code::not_found, "no_such_upload", "NoSuchUpload", 404, ""},
    {Code::not_found, "no_such_tag_set", "NoSuchTagSet", 404, "The TagSet does not exist"},
    {Code::not_found, "no_such_policy", "NoSuchBucketPolicy", 404,
     "The bucket policy does not exist"},
    {Code::not_found, "no_such_lifecycle", "NoSuchLifecycleConfiguration", 404,
     "The lifecycle configuration does not exist"},
    {Code::not_found, "no_such_cors", "NoSuchCORSConfiguration", 404,
     "The CORS configuration does not exist"},
    {Code::not_found, "no_such_lock", "ObjectLockConfigurationNotFoundError", 404,
     "Object Lock configuration does not exist for this bucket"},
    {Code::not_found, "no_such_encryption", "ServerSideEncryptionConfigurationNotFoundError", 404,
     "The server side encryption configuration was not found"},
    {Code::not_found, "no_such_replication", "ReplicationConfigurationNotFoundError", 404,
     "The replication configuration was not found"},
    {Code::not_found, "no_such_website", "NoSuchWebsiteConfiguration", 404,
     "The specified bucket does not have a website configuration"},
    {Code::not_found, "no_such_ownership", "OwnershipControlsNotFoundError", 404,
     "The bucket ownership controls were not found"},
    {Code::not_found, "no_such_public_access_block", "NoSuchPublicAccessBlockConfiguration", 404,
     "The public access block configuration was not found"},
    {Code::not_found, "", "NoSuchKey", 404, ""},
    {Code::exists, "", "BucketAlreadyOwnedByYou", 409,
     "Your previous request to create the named bucket succeeded and you already own it."},
    {Code::conflict, "not_modified", "NotModified", 304, ""},
    {Code::conflict, "precondition_failed", "PreconditionFailed", 412,
     "At least one of the pre-conditions you specified did not hold"},
    {Code::conflict, "conditional_conflict", "ConditionalRequestConflict", 409, ""},
    {Code::conflict, "bucket_not_empty", "BucketNotEmpty", 409,
     "The bucket you tried to delete is not empty"},
    {Code::conflict, "", "OperationAborted", 409, ""},
    {Code::exhausted, "disk_full", "XMinioStorageFull", 507,
     "Storage backend has reached its minimum free drive threshold. Please delete a few objects to "
     "proceed."},
    {Code::exhausted, "body_too_large", "EntityTooLarge", 400,
     "Your proposed upload exceeds the maximum allowed object size."},
    {Code::exhausted, "", "SlowDown", 503, "Please reduce your request rate."},
    {Code::unsupported, "method", "MethodNotAllowed", 405,
     "The specified method is not allowed against this resource."},
    {Code::unsupported, "", "NotImplemented", 501,
     "A header you provided implies functionality that is not implemented"},
    {Code::unavailable, "", "ServiceUnavailable", 503, ""},
    {Code::timeout, "", "RequestTimeout", 400,
     "Your socket connection to the server was not read from or written to within the timeout "
     "period."},
    {Code::cancelled, "", "RequestTimeout", 400, "The request was cancelled."},
    {Code::corrupt, "", "InternalError", 500, ""},
    {Code::internal, "", "InternalError", 500,
     "We encountered an internal error, please try again."},
};

}  // namespace

std::span<const ErrorRow> error_table() { return kRows; }

const ErrorRow& error_row(const Error& error) {
  const ErrorRow* general = nullptr;
  for (const ErrorRow& row : kRows) {
    if (row.code != error.code) continue;
    if (row.what[0] == '\0') general = &row;
    if (error.is(row.what)) return row;
  }
  CHECK(general != nullptr);
  return *general;
}

}  // namespace aichemy::serve::s3
