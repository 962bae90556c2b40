#include "sql/serde/file_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/serde/cell_reader.h"

namespace aichemy::sql {

ScannedFile::ScannedFile(duckdb::FileSystem& system, const HiveTextFile& file)
    : location_(file.data.path) {
  auto path = lake_path(location_);
  if (!path) throw_error(path.error());
  file_ = system.OpenFile(*path, duckdb::FileFlags::FILE_FLAGS_READ);
  size_ = static_cast<uint64_t>(file_->GetFileSize());
  std::string etag = system.GetVersionTag(*file_);
  if (!etag.empty() && !file.version.etag.empty() && etag != file.version.etag) {
    throw_error({Code::conflict, "HIVE_FILESYSTEM_ERROR",
                 fmt::format("{} was replaced while the query ran; run it again", location_)});
  }
}

void ScannedFile::read(uint64_t offset, char* to, size_t count) {
  if (count > 0) file_->Read(to, count, offset);
}

void ScannedFile::broken(const std::string& what) const {
  throw_error(
      {Code::corrupt, "HIVE_BAD_DATA", fmt::format("Error reading {}: {}", location_, what)});
}

void ScannedFile::refuse(const Error& error) const {
  if (error.code == Code::corrupt) broken(error.message);
  if (error.code == Code::unsupported) {
    throw_error(
        {Code::unsupported, "NOT_SUPPORTED", fmt::format("{}: {}", location_, error.message)});
  }
  throw_error(error);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

void put_fitting(duckdb::Vector& out, duckdb::idx_t row, std::string_view text, const Type& type) {
  auto* texts = duckdb::FlatVector::GetData<duckdb::string_t>(out);
  bool whole = type.is(TypeKind::varchar) &&
               text.size() <= static_cast<size_t>(type.precision);  // bytes, so code points too
  if (whole && is_valid_utf8(text)) {
    texts[row] = duckdb::StringVector::AddString(out, text.data(), text.size());
    return;
  }
  std::string made = fitting(text, type);
  texts[row] = duckdb::StringVector::AddString(out, made.data(), made.size());
}

void put_nulls(duckdb::Vector& out, duckdb::idx_t rows) {
  for (duckdb::idx_t i = 0; i < rows; ++i) duckdb::FlatVector::SetNull(out, i, true);
}

}  // namespace aichemy::sql
