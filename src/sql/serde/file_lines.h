// The lines of a file, or of a range of one, as Hadoop's text input tells them: ended by \n, \r or
// \r\n. Decompresses by the ending of the name: .gz, .zst, .deflate.
//
// A range that does not begin the file begins after the first line end in it, and its last line is
// the one that starts at or before its end: every line is in exactly one range.
#pragma once

#include <cstdint>
#include <duckdb/common/file_system.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace aichemy::sql {

// Bytes of a file as they are read. Throws (throw_error) what goes wrong, naming the file.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // 0: the end.
  virtual size_t read(char* to, size_t count) = 0;
};

// unsupported ("NOT_SUPPORTED") is thrown for endings that name another compression.
bool is_compressed(std::string_view path);

class FileLines {
 public:
  struct Range {
    uint64_t begin = 0, end = UINT64_MAX;
  };
  // What was planned: the location is for messages, and every range has to be of the same object.
  struct File {
    std::string location, etag;
  };
  // `path` is the engine's. Throws corrupt ("HIVE_BAD_DATA") when the file is another by now.
  FileLines(duckdb::FileSystem& system, duckdb::optional_ptr<duckdb::FileOpener> opener,
            const std::string& path, File file, Range range);

  // False at the end. The line is there until the next call.
  bool next(std::string_view& line);

 private:
  std::string location_;
  duckdb::unique_ptr<duckdb::FileHandle> file_;
  std::unique_ptr<ByteSource> source_;
  Range range_;
  std::string buffer_;
  size_t at_ = 0, filled_ = 0;
  uint64_t offset_ = 0;  // of buffer_[0] in the file, decompressed
  bool ended_ = false;

  bool fill();
};

}  // namespace aichemy::sql
