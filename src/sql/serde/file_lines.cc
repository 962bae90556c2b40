#include "sql/serde/file_lines.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "sql/engine/duckdb_file_system.h"

namespace aichemy::sql {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kLineMax = 100 << 20;  // as Trino's hive.text.max-line-length
constexpr int kGzipOrZlib = 15 + 32;

enum class Packing : uint8_t { none, deflate, zstd, unknown };
struct PackingRow {
  std::string_view ending;
  Packing packing;
};
constexpr PackingRow kPackings[] = {
    {".gz", Packing::deflate},      {".gzip", Packing::deflate},
    {".deflate", Packing::deflate}, {".zst", Packing::zstd},
    {".zstd", Packing::zstd},       {".bz2", Packing::unknown},
    {".snappy", Packing::unknown},  {".lz4", Packing::unknown},
    {".lzo", Packing::unknown},     {".lzo_deflate", Packing::unknown},
};

Packing packing_of(std::string_view path) {
  for (const PackingRow& row : kPackings) {
    if (path.ends_with(row.ending)) return row.packing;
  }
  return Packing::none;
}

[[noreturn]] void broken(const std::string& location, const char* what) {
  throw_error(
      {Code::corrupt, "HIVE_BAD_DATA", fmt::format("Error reading {}: {}", location, what)});
}

class PlainSource final : public ByteSource {
 public:
  PlainSource(duckdb::FileHandle& file, uint64_t begin)
      : file_(file), at_(begin), size_(static_cast<uint64_t>(file.GetFileSize())) {}
  size_t read(char* to, size_t count) override {
    count = std::min<uint64_t>(count, size_ - std::min(at_, size_));
    if (count > 0) file_.Read(to, count, at_);
    at_ += count;
    return count;
  }

 private:
  duckdb::FileHandle& file_;
  uint64_t at_, size_;
};

// Files of one member or several, as gzip makes them when it appends.
class DeflateSource final : public ByteSource {
 public:
  DeflateSource(std::unique_ptr<ByteSource> packed, std::string location)
      : packed_(std::move(packed)), location_(std::move(location)), input_(kReadBytes, '\0') {
    if (inflateInit2(&stream_, kGzipOrZlib) != Z_OK) broken(location_, "no memory to decompress");
  }
  DeflateSource(const DeflateSource&) = delete;
  DeflateSource& operator=(const DeflateSource&) = delete;
  ~DeflateSource() override { inflateEnd(&stream_); }

  size_t read(char* to, size_t count) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(count);
    while (stream_.avail_out == count) {
      if (stream_.avail_in == 0) {
        stream_.avail_in = static_cast<uInt>(packed_->read(input_.data(), input_.size()));
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        if (stream_.avail_in == 0 && inside_) broken(location_, "the compressed file is cut short");
        if (stream_.avail_in == 0) return 0;
      }
      if (!inside_ && inflateReset(&stream_) != Z_OK) broken(location_, "cannot decompress");
      inside_ = true;
      int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        inside_ = false;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        broken(location_, "it is not compressed as its name says, or damaged");
      }
    }
    return count - stream_.avail_out;
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::string location_;
  std::string input_;
  z_stream stream_{};
  bool inside_ = false;  // of a member
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> packed, std::string location)
      : packed_(std::move(packed)), location_(std::move(location)), input_(kReadBytes, '\0') {}
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  size_t read(char* to, size_t count) override {
    ZSTD_outBuffer out{to, count, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        in_ = {input_.data(), packed_->read(input_.data(), input_.size()), 0};
        if (in_.size == 0 && inside_) broken(location_, "the compressed file is cut short");
        if (in_.size == 0) return 0;
      }
      size_t left = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(left)) broken(location_, ZSTD_getErrorName(left));
      inside_ = left != 0;
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::string location_;
  std::string input_;
  ZSTD_DStream* stream_ = ZSTD_createDStream();
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool inside_ = false;  // of a frame
};

}  // namespace

bool is_compressed(std::string_view path) {
  Packing packing = packing_of(path);
  if (packing == Packing::unknown) {
    throw_error({Code::unsupported, "NOT_SUPPORTED",
                 fmt::format("{}: this compression is not supported for text files", path)});
  }
  return packing != Packing::none;
}

FileLines::FileLines(duckdb::FileSystem& system, duckdb::optional_ptr<duckdb::FileOpener> opener,
                     const std::string& path, File file, Range range)
    : location_(std::move(file.location)),
      file_(system.OpenFile(path, duckdb::FileFlags::FILE_FLAGS_READ, opener)),
      source_(std::make_unique<PlainSource>(*file_, range.begin)),
      range_(range),
      buffer_(kReadBytes, '\0'),
      offset_(range.begin) {
  if (system.GetVersionTag(*file_) != file.etag) {
    throw_error({Code::corrupt, "HIVE_BAD_DATA",
                 "the file was replaced while the query read it: " + location_});
  }
  switch (packing_of(path)) {
    case Packing::deflate:
      source_ = std::make_unique<DeflateSource>(std::move(source_), location_);
      break;
    case Packing::zstd:
      source_ = std::make_unique<ZstdSource>(std::move(source_), location_);
      break;
    case Packing::none:
    case Packing::unknown: break;
  }
  std::string_view line;
  if (range.begin > 0) {
    range_.end = UINT64_MAX;
    (void)next(line);  // it is the range's before
    range_.end = range.end;
  } else if (fill() && std::string_view(buffer_).substr(0, filled_).starts_with("\xEF\xBB\xBF")) {
    at_ = 3;  // a byte order mark
  }
}

// More bytes behind those that are left; false at the end.
bool FileLines::fill() {
  if (ended_) return false;
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
    offset_ += at_;
    filled_ -= at_;
    at_ = 0;
  }
  if (filled_ > kLineMax) {
    throw_error(
        {Code::invalid, "HIVE_BAD_DATA", fmt::format("Line too long in text file: {}", location_)});
  }
  if (buffer_.size() - filled_ < kReadBytes)
    buffer_.resize(filled_ + std::max(kReadBytes, filled_));
  size_t got = source_->read(buffer_.data() + filled_, buffer_.size() - filled_);
  filled_ += got;
  ended_ = got == 0;
  return got > 0;
}

bool FileLines::next(std::string_view& line) {
  if (offset_ + at_ > range_.end) return false;
  size_t scanned = 0;  // from at_
  while (true) {
    std::string_view rest(buffer_.data() + at_, filled_ - at_);
    size_t end = rest.find_first_of("\n\r", scanned);
    bool needs_more =
        end == std::string_view::npos || (rest[end] == '\r' && end + 1 == rest.size());
    if (needs_more) {
      scanned = end == std::string_view::npos ? rest.size() : end;
      if (fill()) continue;
      if (rest.empty()) return false;
      rest = std::string_view(buffer_.data() + at_, filled_ - at_);
      if (end == std::string_view::npos) {
        line = rest;
        at_ = filled_;
        return true;
      }
    }
    line = rest.substr(0, end);
    at_ += end + (rest.substr(end).starts_with("\r\n") ? 2 : 1);
    return true;
  }
}

}  // namespace aichemy::sql
