#include "serve/trino/spooling.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/log.h"

namespace aichemy::serve::trino {
namespace {

constexpr std::pair<std::string_view, DataEncoding> kEncodings[] = {
    {"json+zstd", DataEncoding::json_zstd},
    {"json+lz4", DataEncoding::json_lz4},
    {"json", DataEncoding::json}};

// Rows leave faster than a disk writes them: the quickest level already halves them three times.
constexpr int kZstdLevel = 1;

size_t compress_into(DataEncoding encoding, const std::string& raw, std::string& out) {
  if (encoding == DataEncoding::json_zstd) {
    out.resize(ZSTD_compressBound(raw.size()));
    size_t size = ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), kZstdLevel);
    return ZSTD_isError(size) ? 0 : size;
  }
  out.resize(static_cast<size_t>(LZ4_compressBound(static_cast<int>(raw.size()))));
  int size = LZ4_compress_default(raw.data(), out.data(), static_cast<int>(raw.size()),
                                  static_cast<int>(out.size()));
  return size > 0 ? static_cast<size_t>(size) : 0;
}

}  // namespace

std::string_view encoding_name(DataEncoding encoding) {
  for (const auto& [name, value] : kEncodings) {
    if (value == encoding) return name;
  }
  return "json";
}

std::optional<DataEncoding> choose_encoding(std::string_view list) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    for (const auto& [name, value] : kEncodings) {
      if (item == name) return value;
    }
  }
  return std::nullopt;
}

Result<EncodedRows> encode_rows(DataEncoding encoding, std::string rows_json) {
  EncodedRows made;
  bool plain = encoding == DataEncoding::json || rows_json.size() < kCompressFrom;
  // lz4 counts in int.
  if (plain || rows_json.size() > size_t{1} << 30) {
    made.bytes = std::move(rows_json);
    return made;
  }
  size_t size = compress_into(encoding, rows_json, made.bytes);
  if (size == 0) return fail(Code::internal, "compress", "compressing a segment failed");
  made.bytes.resize(size);
  made.raw_bytes = rows_json.size();
  return made;
}

SegmentStore::SegmentStore(SegmentStoreOptions options) : options_(std::move(options)) {
  options_.metrics.gauge_callback("aichemy_trino_spooled_bytes",
                                  "Bytes of result segments that wait for their clients",
                                  [this] { return static_cast<int64_t>(bytes()); });
}

Status SegmentStore::start() {
  Call call;
  if (!options_.store.head_bucket(call, options_.bucket)) return {};
  bucket_made_ = true;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(auto page, options_.store.list(call, options_.bucket, {}));
    for (const auto& object : page.objects)
      RETURN_IF_ERROR(options_.store.remove(call, options_.bucket, object.key, {}));
    more = page.truncated;
  }
  return {};
}

Status SegmentStore::put_object(const std::string& name, const std::string& bytes) {
  {
    std::lock_guard lock(bucket_mutex_);
    if (!bucket_made_) {
      auto made = options_.store.create_bucket(Call{}, options_.bucket);
      if (!made && made.error().code != Code::exists) return made;
      bucket_made_ = true;
    }
  }
  auto put = options_.store.put(Call{}, options_.bucket, name, bytes);
  return put ? Status() : std::unexpected(put.error());
}

Result<SegmentStore::Kept> SegmentStore::put(const std::string& query_id, std::string bytes) {
  Kept kept;
  kept.name = to_hex(options_.random.bytes(16));
  kept.expires = options_.clock.wall_now() + options_.time_to_live;
  Segment segment;
  segment.query_id = query_id;
  segment.size = bytes.size();
  segment.expires = options_.clock.steady_now() + options_.time_to_live;
  bool fits = false;
  {
    std::lock_guard lock(mutex_);
    if (memory_bytes_ + object_bytes_ + bytes.size() > options_.bytes_max) {
      return fail(Code::exhausted, "GENERIC_INSUFFICIENT_RESOURCES",
                  "results that no client fetched take all the room for spooling "
                  "(sql.spooling_space)");
    }
    fits = memory_bytes_ + bytes.size() <= options_.memory_bytes_max;
    (fits ? memory_bytes_ : object_bytes_) += bytes.size();
  }
  if (fits) {
    segment.bytes = std::make_shared<const std::string>(std::move(bytes));
  } else if (Status put = put_object(kept.name, bytes); !put) {
    std::lock_guard lock(mutex_);
    object_bytes_ -= segment.size;
    return std::unexpected(put.error());
  }
  std::lock_guard lock(mutex_);
  segments_[kept.name] = std::move(segment);
  return kept;
}

bool SegmentStore::in_memory(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = segments_.find(name);
  return found == segments_.end() || found->second.bytes;
}

Result<std::shared_ptr<const std::string>> SegmentStore::fetch(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    auto found = segments_.find(name);
    if (found == segments_.end())
      return fail(Code::not_found, "segment", "there is no such segment, or it has expired");
    if (found->second.bytes) return found->second.bytes;
  }
  ASSIGN_OR_RETURN(std::string bytes, options_.store.get(Call{}, options_.bucket, name));
  return std::make_shared<const std::string>(std::move(bytes));
}

std::optional<std::string> SegmentStore::drop_locked(Segments::iterator at) {
  std::optional<std::string> object;
  if (!at->second.bytes) object = at->first;
  (at->second.bytes ? memory_bytes_ : object_bytes_) -= at->second.size;
  segments_.erase(at);
  return object;
}

void SegmentStore::remove_objects(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Status removed = options_.store.remove(Call{}, options_.bucket, name, {});
    // It will go when the platform starts again.
    if (!removed)
      log_warn("a spooled segment stays", {{"name", name}, {"error", removed.error().message}});
  }
}

void SegmentStore::acknowledge(const std::string& name) {
  std::vector<std::string> objects;
  {
    std::lock_guard lock(mutex_);
    auto found = segments_.find(name);
    if (found == segments_.end()) return;
    if (auto object = drop_locked(found)) objects.push_back(*object);
  }
  remove_objects(objects);
}

void SegmentStore::forget(const std::string& query_id) {
  std::vector<std::string> objects;
  {
    std::lock_guard lock(mutex_);
    for (auto it = segments_.begin(); it != segments_.end();) {
      auto next = std::next(it);
      if (it->second.query_id == query_id) {
        if (auto object = drop_locked(it)) objects.push_back(*object);
      }
      it = next;
    }
  }
  remove_objects(objects);
}

void SegmentStore::expire() {
  std::vector<std::string> objects;
  {
    std::lock_guard lock(mutex_);
    SteadyTime now = options_.clock.steady_now();
    for (auto it = segments_.begin(); it != segments_.end();) {
      auto next = std::next(it);
      if (it->second.expires <= now) {
        if (auto object = drop_locked(it)) objects.push_back(*object);
      }
      it = next;
    }
  }
  remove_objects(objects);
}

uint64_t SegmentStore::bytes() const {
  std::lock_guard lock(mutex_);
  return memory_bytes_ + object_bytes_;
}

}  // namespace aichemy::serve::trino
