#include "serve/console/bundle.h"

#include <array>
#include <charconv>
#include <optional>

namespace aichemy::serve::console {
namespace {

constexpr std::string_view kMagic = "AICHEMY CONSOLE 1";

std::unexpected<Error> broken(const char* why) {
  return fail(Code::corrupt, "console_bundle", std::string("the embedded console: ") + why);
}

std::optional<std::string_view> take_line(std::string_view& text) {
  size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Path, content type, encoding, offset, bytes, etag.
std::optional<std::array<std::string_view, 6>> cells(std::string_view line) {
  std::array<std::string_view, 6> out;
  for (size_t i = 0; i < out.size(); ++i) {
    size_t tab = line.find('\t');
    if ((tab == line.npos) != (i + 1 == out.size())) return std::nullopt;
    out[i] = line.substr(0, tab);
    line.remove_prefix(tab == line.npos ? line.size() : tab + 1);
  }
  return out;
}

}  // namespace

Result<Bundle> Bundle::parse(std::string_view bytes) {
  Bundle bundle;
  if (bytes.empty()) return bundle;
  std::string_view rest = bytes;
  if (take_line(rest) != kMagic) return broken("not a bundle");
  auto line = take_line(rest);
  auto count = line ? number(*line) : std::nullopt;
  if (!count) return broken("no number of files");
  std::vector<std::array<std::string_view, 6>> rows;
  for (uint64_t i = 0; i < *count; ++i) {
    line = take_line(rest);
    auto row = line ? cells(*line) : std::nullopt;
    if (!row) return broken("a row of its table");
    rows.push_back(*row);
  }
  if (take_line(rest) != "") return broken("the end of its table");
  for (const auto& [path, type, encoding, offset, size, etag] : rows) {
    auto from = number(offset), length = number(size);
    if (!from || !length || *from > rest.size() || *length > rest.size() - *from)
      return broken("a file outside of it");
    BundleFile& file = bundle.files_[std::string(path)];
    file.content_type = type;
    file.etag = etag;
    std::string_view data = rest.substr(*from, *length);
    (encoding == "br" ? file.brotli : encoding == "gzip" ? file.gzip : file.plain) = data;
  }
  return bundle;
}

const BundleFile* Bundle::find(std::string_view path) const {
  auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace aichemy::serve::console
