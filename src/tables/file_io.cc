#include "tables/file_io.h"

#include <algorithm>
#include <utility>

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
  if (collected_) {
    if (auto found = find_collected(at); found != collected_->files_.end()) return found->bytes;
  }
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

Status NewFiles::write(const Call& call) { return store_.put_all(call, std::exchange(files_, {})); }

std::vector<objectstore::NewObject>::iterator FileIo::find_collected(const Location& at) {
  return std::ranges::find_if(collected_->files_, [&](const objectstore::NewObject& file) {
    return file.bucket == at.bucket && file.key == at.key;
  });
}

Status FileIo::write_new(const Call& call, const std::string& location, std::string bytes) {
  objectstore::PutOptions options;
  options.conditions.if_none_match = {"*"};
  return put(call, location, std::move(bytes), std::move(options));
}

Status FileIo::write(const Call& call, const std::string& location, std::string bytes) {
  return put(call, location, std::move(bytes), {});
}

Status FileIo::put(const Call& call, const std::string& location, std::string bytes,
                   objectstore::PutOptions options) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  if (collected_) {
    collected_->files_.push_back(
        {std::move(at.bucket), std::move(at.key), std::move(bytes), std::move(options)});
    return {};
  }
  auto put = store_.put(call, at.bucket, at.key, bytes, std::move(options));
  if (!put) return std::unexpected(put.error());
  return {};
}

Status FileIo::remove(const Call& call, const std::string& location) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  if (collected_) {
    if (auto found = find_collected(at); found != collected_->files_.end()) {
      collected_->files_.erase(found);
      return {};
    }
  }
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

Result<bool> FileIo::has_prefix(const Call& call, const std::string& location) {
  ASSIGN_OR_RETURN(Location at, parse_location(location));
  objectstore::ListOptions options;
  options.prefix = at.key.ends_with('/') ? at.key : at.key + "/";
  options.keys_max = 1;
  ASSIGN_OR_RETURN(auto page, store_.list(call, at.bucket, options));
  return !page.objects.empty();
}

Status FileIo::copy_prefix(const Call& call, const std::string& from, const std::string& to,
                           CopiedFiles* copied) {
  ASSIGN_OR_RETURN(Location source, parse_location(from));
  ASSIGN_OR_RETURN(Location target, parse_location(to));
  objectstore::ListOptions options;
  options.prefix = source.key.ends_with('/') ? source.key : source.key + "/";
  std::string below = target.key.ends_with('/') ? target.key : target.key + "/";
  while (true) {
    ASSIGN_OR_RETURN(auto page, store_.list(call, source.bucket, options));
    for (const auto& object : page.objects) {
      std::string name = object.key.substr(options.prefix.size());
      auto known = copied->find(name);
      if (known != copied->end() && known->second == object.etag) continue;
      RETURN_IF_ERROR(
          copy_object(call, {source.bucket, object.key}, {target.bucket, below + name}));
      copied->insert_or_assign(std::move(name), object.etag);
    }
    if (!page.truncated) return {};
    options.start_after = page.next_start_after;
  }
}

Status FileIo::remove_copied(const Call& call, const std::string& location,
                             const CopiedFiles& copied) {
  for (const auto& [name, etag] : copied) RETURN_IF_ERROR(remove(call, location + "/" + name));
  return {};
}

Status FileIo::copy(const Call& call, const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(Location source, parse_location(from));
  ASSIGN_OR_RETURN(Location target, parse_location(to));
  return copy_object(call, source, target);
}

Status FileIo::copy_object(const Call& call, const Location& from, const Location& to) {
  constexpr size_t kStep = 1 << 20;
  ASSIGN_OR_RETURN(auto reader, store_.open(call, from.bucket, from.key, {}));
  objectstore::PutOptions options;
  options.content_type = reader->info().content_type;
  options.metadata = reader->info().metadata;
  options.size_hint = reader->info().size;
  ASSIGN_OR_RETURN(auto writer, store_.write(call, to.bucket, to.key, std::move(options)));
  std::string buffer(kStep, '\0');
  for (uint64_t offset = 0; offset < reader->info().size;) {
    if (call.cancel.stop_requested())
      return fail(Code::cancelled, "cancelled", "the request was cancelled");
    ASSIGN_OR_RETURN(size_t count, reader->read_at(offset, buffer.data(), buffer.size()));
    RETURN_IF_ERROR(writer->append({buffer.data(), count}));
    offset += count;
  }
  auto done = writer->commit();
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::tables
