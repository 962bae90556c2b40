// The web application inside the program: files packed by console/tools/pack.mjs, already
// compressed. Layout: the line "AICHEMY CONSOLE 1", the number of files, then a line a file (path,
// content type, encoding, offset, bytes, etag; separated by tabs), an empty line, the bytes. A
// build without it (no Node when it was made) has no files and says so.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::serve::console {

struct BundleFile {
  std::string content_type;
  std::string etag;
  std::string_view plain;  // only of what is filled in when it is served (index.html, pages/)
  std::string_view gzip, brotli;
};

class Bundle {
 public:
  // The bytes must outlive it. corrupt ("console_bundle").
  static Result<Bundle> parse(std::string_view bytes);
  const BundleFile* find(std::string_view path) const;
  bool empty() const { return files_.empty(); }
  size_t size() const { return files_.size(); }

 private:
  std::map<std::string, BundleFile, std::less<>> files_;
};

// What the build put in; empty without a console.
std::string_view embedded_bundle();

}  // namespace aichemy::serve::console
