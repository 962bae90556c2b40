// URLs taken apart (RFC 2396, as java.net.URI reads it, with the characters beyond ASCII that it
// allows), and form encoding (application/x-www-form-urlencoded).
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

constexpr std::string_view kUric = "-_.!~*'();/?:@&=+$,[]";
constexpr std::string_view kPath = "-_.!~*'():@&=+$,;/";
constexpr std::string_view kServer = "-_.!~*'();:&=+$,@[]";
constexpr std::string_view kRegistry = "-_.!~*'()$,;:@&=+";
constexpr std::string_view kUser = "-_.!~*'();:&=+$,";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
int hex_digit(char c) {
  return is_digit(c)            ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// Unicode's spaces and controls beyond ASCII, which no part of a URL may hold, in UTF-8.
bool is_blank(std::string_view sequence) {
  if (sequence.size() == 2 && sequence[0] == '\xc2')
    return static_cast<unsigned char>(sequence[1]) <= 0xa0;
  if (sequence == "\xe1\x9a\x80" || sequence == "\xe3\x80\x80") return true;
  if (sequence.size() != 3 || sequence[0] != '\xe2') return false;
  auto last = static_cast<unsigned char>(sequence[2]);
  if (sequence[1] == '\x80') return last <= 0x8a || last == 0xa8 || last == 0xa9 || last == 0xaf;
  return sequence == "\xe2\x81\x9f";
}

size_t sequence_size(char c) {
  auto first = static_cast<unsigned char>(c);
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// Letters, digits, `marks`, %XX and what is not ASCII.
bool is_legal(std::string_view text, std::string_view marks) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
        return false;
      i += 2;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      size_t size = sequence_size(c);
      if (is_blank(text.substr(i, size))) return false;
      i += size - 1;
    } else if (!is_digit(c) && !is_alpha(c) && marks.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

struct Url {
  std::string_view scheme, host, path, fragment;
  std::optional<std::string_view> query;
  int64_t port = -1;
};

// Labels of letters, digits and inner hyphens; the last of several begins with a letter.
bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  for (bool first = true; !text.empty(); first = false) {
    size_t dot = std::min(text.find('.'), text.size());
    std::string_view label = text.substr(0, dot);
    bool last = dot == text.size();
    for (char c : label) {
      if (!is_digit(c) && !is_alpha(c) && c != '-') return false;
    }
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (last) return first || is_alpha(label.front());
    text.remove_prefix(dot + 1);
  }
  return false;
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    int value = 0;
    size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits]) && digits < 4)
      value = value * 10 + (text[digits++] - '0');
    if (digits == 0 || digits > 3 || value > 255) return false;
    text.remove_prefix(digits);
    if (part == 3) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

bool is_ipv6(std::string_view text) {  // within its brackets
  std::string_view address = text.substr(0, text.find('%'));
  return address.find(':') != std::string_view::npos &&
         address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

bool take_server(std::string_view text, Url& url) {
  if (size_t at = text.find('@'); at != std::string_view::npos) {
    if (!is_legal(text.substr(0, at), kUser)) return false;
    text.remove_prefix(at + 1);
  }
  size_t end = text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  std::string_view host = text.substr(0, end);
  bool valid = host.starts_with('[') ? host.size() > 2 && is_ipv6(host.substr(1, host.size() - 2))
                                     : is_ipv4(host) || is_host_name(host);
  if (!valid) return false;
  text.remove_prefix(end);
  int32_t port = -1;
  if (text.size() > 1) {
    auto [stop, error] = std::from_chars(text.data() + 1, text.data() + text.size(), port);
    if (error != std::errc() || stop != text.data() + text.size() || text[1] == '-') return false;
  }
  if (!text.empty() && text[0] != ':') return false;
  url.host = host;
  url.port = port;
  return true;
}

bool take_authority(std::string_view text, Url& url) {
  bool registry = is_legal(text, kRegistry);
  bool bracketed = text.find(']') != std::string_view::npos;
  bool server = bracketed || text.find('%') == std::string_view::npos;
  server = server && is_legal(text, bracketed ? "-_.!~*'();:&=+$,@[]%" : kServer);
  if (server && take_server(text, url)) return true;
  return registry;  // a name of some registry: no host
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (size_t hash = text.find('#'); hash != std::string_view::npos) {
    url.fragment = text.substr(hash + 1);
    if (!is_legal(url.fragment, kUric)) return std::nullopt;
    text = text.substr(0, hash);
  }
  size_t colon = text.find_first_of("/?:");
  if (colon != std::string_view::npos && text[colon] == ':') {
    url.scheme = text.substr(0, colon);
    if (colon == 0 || !is_alpha(text[0])) return std::nullopt;
    for (char c : url.scheme) {
      if (!is_digit(c) && !is_alpha(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
    }
    text.remove_prefix(colon + 1);
    if (!text.starts_with('/'))  // opaque: mailto:a@b
      return !text.empty() && is_legal(text, kUric) ? std::optional(url) : std::nullopt;
  }
  if (size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
    if (!is_legal(*url.query, kUric)) return std::nullopt;
    text = text.substr(0, mark);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    std::string_view authority = text.substr(0, text.find('/'));
    text.remove_prefix(authority.size());
    bool rest = !text.empty() || url.query || !url.fragment.empty();
    if (authority.empty() ? !rest : !take_authority(authority, url)) return std::nullopt;
  }
  url.path = text;
  return is_legal(text, kPath) ? std::optional(url) : std::nullopt;
}

// Valid UTF-8; what is not becomes U+FFFD, one for each sequence cut short.
std::string replaced(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size();) {
    size_t size = sequence_size(bytes[i]), good = 1;
    auto first = static_cast<unsigned char>(bytes[i]);
    bool lead = first < 0x80 || (first >= 0xc2 && first <= 0xf4);
    while (lead && good < size && i + good < bytes.size() &&
           (static_cast<unsigned char>(bytes[i + good]) & 0xc0) == 0x80)
      ++good;
    if (lead && good == size)
      out += bytes.substr(i, size);
    else
      out += "\xef\xbf\xbd";
    i += lead ? good : 1;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '%' && i + 2 < text.size();
    bytes +=
        escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return replaced(bytes);
}

std::string decoded_form(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size())
      raise("INVALID_FUNCTION_ARGUMENT", "URLDecoder: Incomplete trailing escape (%) pattern");
    int value = 0;
    for (size_t k = i + 1; k <= i + 2; ++k) {
      int digit = hex_digit(text[k]);
      if (digit < 0) {
        raise("INVALID_FUNCTION_ARGUMENT",
              fmt::format("URLDecoder: Illegal hex characters in escape (%) pattern - not a "
                          "hexadecimal digit: \"{}\" = {}",
                          text[k], static_cast<int>(text[k])));
      }
      value = value * 16 + digit;
    }
    bytes += static_cast<char>(value);
    i += 2;
  }
  return replaced(bytes);
}

// NULL when the text is no URL, or when `part` is.
template <class Fn>
void each_url(DataChunk& chunk, Vector& result, Fn part) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](idx_t row) {
    auto url = parse_url(arguments.text(0, row));
    std::optional<std::string> made;
    if (url) made = part(*url, arguments, row);
    if (!made) return duckdb::FlatVector::SetNull(result, row, true);
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddString(result, *made);
  });
}

template <std::string_view Url::* kPart, bool kEscaped>
void text_part(DataChunk& chunk, ExpressionState&, Vector& result) {
  each_url(chunk, result, [](const Url& url, const NativeArguments&, idx_t) {
    return std::optional(kEscaped ? unescaped(url.*kPart) : std::string(url.*kPart));
  });
}

void query_part(DataChunk& chunk, ExpressionState&, Vector& result) {
  each_url(chunk, result, [](const Url& url, const NativeArguments&, idx_t) {
    return std::optional(unescaped(url.query.value_or("")));
  });
}

// (url, name): the first of that name.
void parameter(DataChunk& chunk, ExpressionState&, Vector& result) {
  each_url(chunk, result, [](const Url& url, const NativeArguments& arguments, idx_t row) {
    std::string_view name = arguments.text(1, row), rest = url.query.value_or("");
    std::optional<std::string> found;
    while (url.query && !found) {
      std::string_view one = rest.substr(0, rest.find('&'));
      size_t equals = std::min(one.find('='), one.size());
      if (one.substr(0, equals) == name)
        found = decoded_form(one.substr(std::min(equals + 1, one.size())));
      if (one.size() == rest.size()) break;
      rest.remove_prefix(one.size() + 1);
    }
    return found;
  });
}

void port(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](idx_t row) {
    auto url = parse_url(arguments.text(0, row));
    if (!url || url->port < 0) return duckdb::FlatVector::SetNull(result, row, true);
    duckdb::FlatVector::GetData<int64_t>(result)[row] = url->port;
  });
}

void encode_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string out;
    for (char c : arguments.text(0, row)) {
      if (is_digit(c) || is_alpha(c) || std::string_view("-_.*").find(c) != std::string_view::npos)
        out += c;
      else if (c == ' ')
        out += '+';
      else
        out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  });
}

void decode_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) { return decoded_form(arguments.text(0, row)); });
}

}  // namespace

std::vector<NativeFunction> native_url_functions() {
  return {
      {"aichemy_url_protocol", "VARCHAR -> VARCHAR", text_part<&Url::scheme, false>},
      {"aichemy_url_host", "VARCHAR -> VARCHAR", text_part<&Url::host, false>},
      {"aichemy_url_path", "VARCHAR -> VARCHAR", text_part<&Url::path, true>},
      {"aichemy_url_query", "VARCHAR -> VARCHAR", query_part},
      {"aichemy_url_fragment", "VARCHAR -> VARCHAR", text_part<&Url::fragment, true>},
      {"aichemy_url_parameter", "VARCHAR, VARCHAR -> VARCHAR", parameter},
      {"aichemy_url_port", "VARCHAR -> BIGINT", port},
      {"aichemy_url_encode", "VARCHAR -> VARCHAR", encode_form},
      {"aichemy_url_decode", "VARCHAR -> VARCHAR", decode_form},
  };
}

}  // namespace aichemy::sql
