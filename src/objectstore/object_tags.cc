#include "objectstore/object_tags.h"

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::objectstore {
namespace {

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Letters, digits, blanks and + - = . _ : / @; beyond ASCII whatever is UTF-8.
bool is_tag_text(std::string_view text) {
  auto allowed = [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || std::string_view(" +-=._:/@").contains(c);
  };
  return std::ranges::all_of(text, allowed) && is_valid_utf8(text);
}

}  // namespace

Status check_tags(const Tags& tags) {
  if (tags.size() > kTagsMax)
    return fail(Code::invalid, "too_many_tags", "Object tags cannot be greater than 10");
  for (const auto& [key, value] : tags) {
    if (key.empty() || characters(key) > kTagKeyMax || !is_tag_text(key))
      return fail(Code::invalid, "tag_key", "The TagKey you have provided is invalid");
    if (key.starts_with("aws:")) {
      return fail(Code::invalid, "tag_key",
                  "System tags cannot be added/updated by requester: " + key);
    }
    if (characters(value) > kTagValueMax || !is_tag_text(value))
      return fail(Code::invalid, "tag_value", "The TagValue you have provided is invalid");
  }
  return {};
}

std::string encode_tags(const Tags& tags) {
  std::string out;
  for (const auto& [key, value] : tags)
    out += (out.empty() ? "" : "&") + percent_encode(key) + "=" + percent_encode(value);
  return out;
}

Result<Tags> decode_tags(std::string_view text) {
  Tags tags;
  while (!text.empty()) {
    std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    std::string_view name = pair.substr(0, pair.find('='));
    auto key = percent_decode(name, true);
    auto value = percent_decode(pair.substr(std::min(name.size() + 1, pair.size())), true);
    if (!key || !value)
      return fail(Code::invalid, "tag_text", "The header 'x-amz-tagging' shall be encoded as UTF-8 "
                                             "then URLEncoded URL query parameters");
    if (!tags.emplace(std::move(*key), std::move(*value)).second)
      return fail(Code::invalid, "tag_twice", "Cannot provide multiple Tags with the same key");
  }
  RETURN_IF_ERROR(check_tags(tags));
  return tags;
}

Tags tags_of(const Metadata& metadata) {
  auto found = metadata.find(kTagsName);
  if (found == metadata.end()) return {};
  return decode_tags(found->second).value_or(Tags{});
}

void put_tags(Metadata& metadata, const Tags& tags) {
  if (tags.empty()) {
    metadata.erase(kTagsName);
  } else {
    metadata[kTagsName] = encode_tags(tags);
  }
}

}  // namespace aichemy::objectstore
