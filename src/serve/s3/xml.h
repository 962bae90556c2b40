// The XML S3 speaks: a writer that escapes, and a reader for the few small documents clients send.
// The reader knows elements, text, CDATA, comments and the five entities; no DTDs, attributes are
// skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::serve::s3 {

inline constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

class XmlWriter {
 public:
  XmlWriter();
  XmlWriter& open(std::string_view name, std::string_view xml_namespace = {});
  XmlWriter& close(std::string_view name);
  XmlWriter& text(std::string_view name, std::string_view value);
  XmlWriter& number(std::string_view name, uint64_t value);
  XmlWriter& flag(std::string_view name, bool value) {
    return text(name, value ? "true" : "false");
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

struct XmlNode {
  std::string name;  // without a namespace prefix
  std::string text;
  std::vector<XmlNode> children;

  const XmlNode* find(std::string_view child) const;
  std::string_view text_of(std::string_view child) const;  // "" when absent
};

// invalid ("malformed_xml").
Result<XmlNode> parse_xml(std::string_view text);

}  // namespace aichemy::serve::s3
