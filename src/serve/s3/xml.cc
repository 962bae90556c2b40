#include "serve/s3/xml.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace aichemy::serve::s3 {
namespace {

constexpr int kDepthMax = 16;
constexpr size_t kNodesMax = 200'000;

void append_escaped(std::string& to, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '&': to += "&amp;"; break;
      case '<': to += "&lt;"; break;
      case '>': to += "&gt;"; break;
      case '"': to += "&#34;"; break;
      case '\'': to += "&#39;"; break;
      case '\t': to += "&#x9;"; break;
      case '\n': to += "&#xA;"; break;
      case '\r': to += "&#xD;"; break;
      default:
        // Other control characters have no form in XML 1.0; clients ask for encoding-type=url to
        // see them.
        if (static_cast<unsigned char>(c) < 0x20) {
          to += "\xef\xbf\xbd";
        } else {
          to.push_back(c);
        }
    }
  }
}

void append_utf8(std::string& to, uint32_t point) {
  if (point < 0x80) {
    to.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    to.push_back(static_cast<char>(0xc0 | point >> 6));
    to.push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else if (point < 0x10000) {
    to.push_back(static_cast<char>(0xe0 | point >> 12));
    to.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
    to.push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else {
    to.push_back(static_cast<char>(0xf0 | point >> 18));
    to.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3f)));
    to.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
    to.push_back(static_cast<char>(0x80 | (point & 0x3f)));
  }
}

std::unexpected<Error> malformed() {
  return fail(
      Code::invalid, "malformed_xml",
      "The XML you provided was not well-formed or did not validate against our published schema");
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : left_(text) {}

  Result<XmlNode> document() {
    if (left_.starts_with("\xef\xbb\xbf")) left_.remove_prefix(3);
    RETURN_IF_ERROR(skip_misc());
    XmlNode root;
    RETURN_IF_ERROR(element(root, 0));
    RETURN_IF_ERROR(skip_misc());
    if (!left_.empty()) return malformed();
    return root;
  }

 private:
  std::string_view left_;
  size_t nodes_ = 0;

  void skip_space() {
    while (!left_.empty() && is_space(left_.front())) left_.remove_prefix(1);
  }
  bool skip_past(std::string_view end) {
    size_t at = left_.find(end);
    if (at == std::string_view::npos) return false;
    left_.remove_prefix(at + end.size());
    return true;
  }
  Status skip_misc() {
    while (true) {
      skip_space();
      if (left_.starts_with("<?")) {
        if (!skip_past("?>")) return malformed();
      } else if (left_.starts_with("<!--")) {
        if (!skip_past("-->")) return malformed();
      } else {
        return {};
      }
    }
  }
  Result<std::string> name() {
    size_t count = 0;
    while (count < left_.size() && !is_space(left_[count]) && left_[count] != '>' &&
           left_[count] != '/' && left_[count] != '<' && left_[count] != '=') {
      ++count;
    }
    if (count == 0 || count > 256) return malformed();
    std::string_view full = left_.substr(0, count);
    left_.remove_prefix(count);
    size_t colon = full.rfind(':');
    return std::string(colon == std::string_view::npos ? full : full.substr(colon + 1));
  }
  // Up to and including '>' or '/>'; true for the latter.
  Result<bool> attributes() {
    while (true) {
      skip_space();
      if (left_.starts_with("/>")) return left_.remove_prefix(2), true;
      if (left_.starts_with(">")) return left_.remove_prefix(1), false;
      RETURN_IF_ERROR(name());
      skip_space();
      if (!left_.starts_with("=")) return malformed();
      left_.remove_prefix(1);
      skip_space();
      if (left_.empty() || (left_.front() != '"' && left_.front() != '\'')) return malformed();
      std::string_view quote = left_.substr(0, 1);
      left_.remove_prefix(1);
      if (!skip_past(quote)) return malformed();
    }
  }
  Status entity(std::string& to) {
    size_t end = left_.find(';');
    if (end == std::string_view::npos || end > 10) return malformed();
    std::string_view word = left_.substr(1, end - 1);
    left_.remove_prefix(end + 1);
    static constexpr std::pair<std::string_view, char> kEntities[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, character] : kEntities) {
      if (word == known) return to.push_back(character), Status{};
    }
    if (!word.starts_with('#')) return malformed();
    word.remove_prefix(1);
    bool hex = word.starts_with('x');
    if (hex) word.remove_prefix(1);
    uint32_t point = 0;
    auto [stop, error] =
        std::from_chars(word.data(), word.data() + word.size(), point, hex ? 16 : 10);
    bool good = error == std::errc() && stop == word.data() + word.size() && point > 0 &&
                point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (!good) return malformed();
    append_utf8(to, point);
    return {};
  }
  Status element(XmlNode& node, int depth) {
    if (depth >= kDepthMax || ++nodes_ > kNodesMax) return malformed();
    if (!left_.starts_with("<") || left_.starts_with("<!") || left_.starts_with("</"))
      return malformed();
    left_.remove_prefix(1);
    ASSIGN_OR_RETURN(node.name, name());
    ASSIGN_OR_RETURN(bool closed, attributes());
    if (closed) return {};
    while (!left_.empty()) {
      if (left_.front() == '&') {
        RETURN_IF_ERROR(entity(node.text));
      } else if (left_.front() != '<') {
        size_t end = std::min(left_.find_first_of("<&"), left_.size());
        node.text += left_.substr(0, end);
        left_.remove_prefix(end);
      } else if (left_.starts_with("<!--")) {
        if (!skip_past("-->")) return malformed();
      } else if (left_.starts_with("<![CDATA[")) {
        left_.remove_prefix(9);
        size_t end = left_.find("]]>");
        if (end == std::string_view::npos) return malformed();
        node.text += left_.substr(0, end);
        left_.remove_prefix(end + 3);
      } else if (left_.starts_with("</")) {
        left_.remove_prefix(2);
        ASSIGN_OR_RETURN(std::string closing, name());
        skip_space();
        if (closing != node.name || !left_.starts_with(">")) return malformed();
        left_.remove_prefix(1);
        if (!node.children.empty()) node.text.clear();
        return {};
      } else {
        node.children.emplace_back();
        RETURN_IF_ERROR(element(node.children.back(), depth + 1));
      }
    }
    return malformed();
  }
};

}  // namespace

XmlWriter::XmlWriter() : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

XmlWriter& XmlWriter::open(std::string_view name, std::string_view xml_namespace) {
  out_.append("<").append(name);
  if (!xml_namespace.empty()) out_.append(" xmlns=\"").append(xml_namespace).append("\"");
  out_ += ">";
  return *this;
}

XmlWriter& XmlWriter::close(std::string_view name) {
  out_.append("</").append(name).append(">");
  return *this;
}

XmlWriter& XmlWriter::text(std::string_view name, std::string_view value) {
  open(name);
  append_escaped(out_, value);
  return close(name);
}

XmlWriter& XmlWriter::number(std::string_view name, uint64_t value) {
  return text(name, std::to_string(value));
}

const XmlNode* XmlNode::find(std::string_view child) const {
  auto found = std::ranges::find(children, child, &XmlNode::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlNode::text_of(std::string_view child) const {
  const XmlNode* found = find(child);
  return found ? std::string_view(found->text) : std::string_view();
}

Result<XmlNode> parse_xml(std::string_view text) {
  if (!is_valid_utf8(text)) return malformed();
  return Parser(text).document();
}

}  // namespace aichemy::serve::s3
