#include "tables/file_io.h"

namespace aichemy::tables {

Result<Location> parse_location(std::string_view location) {
  std::string_view rest;
  for (std::string_view scheme : {"s3://", "s3a://", "s3n://"}) {
    if (location.starts_with(scheme)) rest = location.substr(scheme.size());
  }
  size_t slash = rest.find('/');
  std::string_view bucket = rest.substr(0, slash);
  if (bucket.empty()) {
    return fail(Code::invalid, "location",
                "location \"" + std::string(location) + "\" is not of the form s3://bucket/path");
  }
  Location parsed;
  parsed.bucket = bucket;
  if (slash != std::string_view::npos) parsed.key = rest.substr(slash + 1);
  return parsed;
}

Result<std::string> FileIo::read(const Call& call, const std::string& location,
                                 uint64_t bytes_max) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  auto reader = store_.open(call, at.bucket, at.key, {});
  if (!reader) {
    Error error = reader.error();
    error.message += " (" + location + ")";
    return std::unexpected(std::move(error));
  }
  if ((*reader)->info().size > bytes_max) {
    return fail(Code::exhausted, "file_too_large",
                location + " has " + std::to_string((*reader)->info().size) +
                    " bytes, more than metadata may");
  }
  return (*reader)->read_all();
}

Status FileIo::write_new(const Call& call, const std::string& location, std::string_view bytes) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  objectstore::PutOptions options;
  options.conditions.if_none_match = {"*"};
  auto put = store_.put(call, at.bucket, at.key, bytes, std::move(options));
  if (!put) return std::unexpected(put.error());
  return {};
}

Status FileIo::remove(const Call& call, const std::string& location) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  return store_.remove(call, at.bucket, at.key, {});
}

Status FileIo::remove_prefix(const Call& call, const std::string& location) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  if (at.key.empty())
    return fail(Code::invalid, "location", "refusing to empty the bucket " + at.bucket);
  objectstore::ListOptions options;
  options.prefix = at.key.ends_with('/') ? at.key : at.key + "/";
  while (true) {
    ASSIGN_OR_RETURN(auto page, store_.list(call, at.bucket, options));
    for (const auto& object : page.objects) {
      RETURN_IF_ERROR(store_.remove(call, at.bucket, object.key, {}));
    }
    if (!page.truncated) return {};
    options.start_after = page.next_start_after;
  }
}

}  // namespace aichemy::tables
