#include "sql/hive/hive_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "tables/file_io.h"

namespace aichemy::sql {
namespace {

bool is_hidden(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }

Result<tables::Location> folder_at(const std::string& location) {
  auto at = tables::parse_location(location);
  if (!at) {
    return fail(Code::unsupported, "HIVE_FILESYSTEM_ERROR",
                fmt::format("Only locations in the object store can be read: {}", location));
  }
  if (!at->key.empty() && !at->key.ends_with('/')) at->key += "/";
  return std::move(*at);
}

// `each` gets the pages of a folder.
template <class Each>
Status each_page(const Call& call, objectstore::ObjectStore& store, const tables::Location& at,
                 Each each) {
  objectstore::ListOptions options;
  options.prefix = at.key;
  options.delimiter = "/";
  while (true) {
    ASSIGN_OR_RETURN(auto page, store.list(call, at.bucket, options));
    each(page);
    if (!page.truncated) return {};
    options.start_after = page.next_start_after;
  }
}

}  // namespace

void PendingInserts::begin(const std::string& id) {
  std::lock_guard lock(mutex_);
  open_[id] = ++begun_;
}

void PendingInserts::end(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto found = open_.find(id);
  if (found == open_.end()) return;
  ended_.emplace_back(*found);
  open_.erase(found);
  if (ended_.size() > kEndedInsertsMax) ended_.pop_front();
}

PendingInserts::Mark PendingInserts::mark() {
  std::lock_guard lock(mutex_);
  Mark mark{begun_, {}};
  for (const auto& [id, begun] : open_) mark.open.insert(id);
  return mark;
}

std::set<std::string> PendingInserts::hidden(const Mark& mark) {
  std::lock_guard lock(mutex_);
  std::set<std::string> ids = mark.open;
  for (const auto& [id, begun] : open_) ids.insert(id);
  for (const auto& [id, begun] : ended_) {
    if (begun > mark.begun) ids.insert(id);
  }
  return ids;
}

bool is_of(const std::set<std::string>& inserts, std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(inserts, [&](const std::string& id) { return name.contains(id); });
}

Result<std::vector<HiveFile>> list_files(const Call& call, objectstore::ObjectStore& store,
                                         const std::string& location) {
  ASSIGN_OR_RETURN(tables::Location at, folder_at(location));
  std::string folder = location.ends_with('/') ? location : location + "/";
  std::vector<HiveFile> files;
  RETURN_IF_ERROR(each_page(call, store, at, [&](const objectstore::ListPage& page) {
    for (const auto& object : page.objects) {
      std::string name = object.key.substr(at.key.size());
      if (name.empty() || object.size == 0 || is_hidden(name)) continue;
      HiveFile file;
      file.data.path = folder + name;
      file.data.size = object.size;
      file.version.etag = object.etag;
      file.version.modified_micros = std::chrono::duration_cast<std::chrono::microseconds>(
                                         object.last_modified.time_since_epoch())
                                         .count();
      files.push_back(std::move(file));
    }
  }));
  return files;
}

Result<std::vector<std::string>> list_folders(const Call& call, objectstore::ObjectStore& store,
                                              const std::string& location) {
  ASSIGN_OR_RETURN(tables::Location at, folder_at(location));
  std::vector<std::string> names;
  RETURN_IF_ERROR(each_page(call, store, at, [&](const objectstore::ListPage& page) {
    for (const std::string& prefix : page.common_prefixes) {
      std::string name = prefix.substr(at.key.size());
      if (name.ends_with('/')) name.pop_back();
      if (!name.empty() && !is_hidden(name)) names.push_back(std::move(name));
    }
  }));
  return names;
}

}  // namespace aichemy::sql
