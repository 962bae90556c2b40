// Text functions that DuckDB lacks or counts otherwise (bytes or graphemes instead of code points).
#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>

#include "sql/native/functions.h"
#include "sql/native/word_stem.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::StringVector;
using duckdb::StructVector;
using duckdb::Vector;

[[noreturn]] void invalid(const std::string& message) {
  raise("INVALID_FUNCTION_ARGUMENT", message);
}

std::vector<UChar32> code_points(std::string_view text) {
  std::vector<UChar32> made;
  made.reserve(text.size());
  auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), at, size, c);
    made.push_back(c);
  }
  return made;
}

void append(UChar32 c, std::string& out) {
  char buffer[4];
  int32_t size = 0;
  U8_APPEND_UNSAFE(buffer, size, c);
  out.append(buffer, static_cast<size_t>(size));
}

size_t next(std::string_view text, size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return at;
}

int64_t count_before(std::string_view text, size_t end) {
  int64_t count = 0;
  for (size_t i = 0; i < end; ++i) count += (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
  return count;
}

void levenshtein(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<int64_t>(result, [&](idx_t row) {
    auto left = code_points(args.text(0, row)), right = code_points(args.text(1, row));
    if (left.size() > right.size()) std::swap(left, right);
    if (left.size() * std::max<size_t>(right.size(), 1) > 1'000'000)
      invalid("The combined inputs for Levenshtein distance are too large");
    std::vector<int64_t> distances(left.size() + 1);
    for (size_t i = 0; i < distances.size(); ++i) distances[i] = static_cast<int64_t>(i);
    for (size_t j = 0; j < right.size(); ++j) {
      int64_t diagonal = distances[0];
      distances[0] = static_cast<int64_t>(j) + 1;
      for (size_t i = 0; i < left.size(); ++i) {
        int64_t change = diagonal + (left[i] == right[j] ? 0 : 1);
        diagonal = distances[i + 1];
        distances[i + 1] = std::min({change, distances[i] + 1, diagonal + 1});
      }
    }
    return distances[left.size()];
  });
}

void hamming(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<int64_t>(result, [&](idx_t row) {
    auto left = code_points(args.text(0, row)), right = code_points(args.text(1, row));
    if (left.size() != right.size())
      invalid("The input strings to hamming_distance function must have the same length");
    int64_t distance = 0;
    for (size_t i = 0; i < left.size(); ++i) distance += left[i] != right[i];
    return distance;
  });
}

void replace(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row), what = args.text(1, row), with = args.text(2, row);
    made.clear();
    if (what.empty()) {  // around every code point
      for (size_t at = 0; at < text.size();) {
        size_t end = next(text, at);
        made.append(with).append(text.substr(at, end - at));
        at = end;
      }
      made += with;
      return made;
    }
    size_t copied = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, copied)) {
      made.append(text.substr(copied, at - copied)).append(with);
      copied = at + what.size();
    }
    made += text.substr(copied);
    return made;
  });
}

void strpos(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<int64_t>(result, [&](idx_t row) -> int64_t {
    std::string_view text = args.text(0, row), what = args.text(1, row);
    int64_t instance = args.value<int64_t>(2, row);
    if (instance == 0) invalid("'instance' must be a positive or negative number.");
    if (what.empty()) return 1;
    size_t at = std::string_view::npos;
    if (instance > 0) {
      for (int64_t i = 0; i < instance; ++i) {
        at = text.find(what, at + 1);
        if (at == std::string_view::npos) return 0;
      }
    } else {
      at = text.size();
      for (int64_t i = 0; i > instance; --i) {
        if (at == 0) return 0;
        at = text.rfind(what, at - 1);
        if (at == std::string_view::npos) return 0;
      }
    }
    return count_before(text, at) + 1;
  });
}

// Trino trims what Java calls white space.
bool is_space(UChar32 c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A && c != 0x2007) || c == 0x2028 || c == 0x2029 || c == 0x205F ||
         c == 0x3000;
}

// sides: 1 left, 2 right, 3 both
void trim(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_text(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    int32_t sides = args.value<int32_t>(1, row), begin = 0, end = static_cast<int32_t>(text.size());
    while (sides & 1 && begin < end) {
      int32_t at = begin;
      UChar32 c = 0;
      U8_NEXT_OR_FFFD(text.data(), at, end, c);
      if (!is_space(c)) break;
      begin = at;
    }
    while (sides & 2 && end > begin) {
      int32_t at = end;
      UChar32 c = 0;
      U8_PREV_OR_FFFD(text.data(), begin, at, c);
      if (!is_space(c)) break;
      end = at;
    }
    return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  });
}

void reverse(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row);
    made.assign(text.size(), '\0');
    for (size_t at = 0; at < text.size();) {
      size_t end = next(text, at);
      std::ranges::copy(text.substr(at, end - at), made.end() - static_cast<std::ptrdiff_t>(end));
      at = end;
    }
    return made;
  });
}

void split_limit(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  idx_t size = 0;
  args.each(result, [&](idx_t row) {
    std::string_view text = args.text(0, row), delimiter = args.text(1, row);
    int64_t limit = args.value<int64_t>(2, row);
    if (limit <= 0) invalid("Limit must be positive");
    if (limit > 2147483647) invalid("Limit is too large");
    if (delimiter.empty()) invalid("The delimiter may not be the empty string");
    idx_t from = size;
    while (true) {
      size_t at = static_cast<int64_t>(size - from) + 1 < limit ? text.find(delimiter)
                                                                : std::string_view::npos;
      std::string_view part = text.substr(0, at);
      ListVector::Reserve(result, size + 1);
      Vector& child = ListVector::GetEntry(result);
      FlatVector::GetData<duckdb::string_t>(child)[size++] =
          StringVector::AddString(child, part.data(), part.size());
      if (at == std::string_view::npos) break;
      text.remove_prefix(at + delimiter.size());
    }
    ListVector::GetData(result)[row] = {from, size - from};
    ListVector::SetListSize(result, size);
  });
}

struct Entry {
  std::string_view key, value;
};

std::vector<Entry> split_entries(std::string_view text, std::string_view entry,
                                 std::string_view pair, bool quoted) {
  if (entry.empty()) invalid("entryDelimiter is empty");
  if (pair.empty()) invalid("keyValueDelimiter is empty");
  if (entry == pair) invalid("entryDelimiter and keyValueDelimiter must not be the same");
  std::vector<Entry> made;
  while (!text.empty()) {
    size_t end = text.find(entry);
    std::string_view part = text.substr(0, end);
    size_t at = part.find(pair);
    if (at == std::string_view::npos)
      invalid(
          fmt::format("Key-value delimiter must appear exactly once in each entry. Bad input: "
                      "'{}'",
                      part));
    if (part.find(pair, at + pair.size()) != std::string_view::npos)
      invalid(
          fmt::format("Key-value delimiter must appear exactly once in each entry. Bad input: "
                      "{}",
                      quoted ? fmt::format("'{}'", part) : std::string(part)));
    made.push_back({part.substr(0, at), part.substr(at + pair.size())});
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + entry.size());
  }
  return made;
}

// Lists of {k, v}; duplicates: 0 an error, 1 kept (multimap gathers them), 2 the first wins.
void split_pairs(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  idx_t size = 0;
  args.each(result, [&](idx_t row) {
    auto entries = split_entries(args.text(0, row), args.text(1, row), args.text(2, row),
                                 args.value<int32_t>(3, row) == 0);
    if (args.value<int32_t>(3, row) == 0) {
      std::map<std::string_view, int> seen;
      for (const auto& entry : entries) {
        if (!seen.emplace(entry.key, 0).second)
          invalid(fmt::format("Duplicate keys ({}) are not allowed", entry.key));
      }
    }
    ListVector::Reserve(result, size + entries.size());
    auto& fields = StructVector::GetEntries(ListVector::GetEntry(result));
    ListVector::GetData(result)[row] = {size, entries.size()};
    for (const auto& entry : entries) {
      FlatVector::GetData<duckdb::string_t>(*fields[0])[size] =
          StringVector::AddString(*fields[0], entry.key.data(), entry.key.size());
      FlatVector::GetData<duckdb::string_t>(*fields[1])[size] =
          StringVector::AddString(*fields[1], entry.value.data(), entry.value.size());
      ++size;
    }
    ListVector::SetListSize(result, size);
  });
}

void normalize(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row), form = args.text(1, row);
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2* normalizer = form == "NFC"    ? unorm2_getNFCInstance(&error)
                                     : form == "NFD"  ? unorm2_getNFDInstance(&error)
                                     : form == "NFKC" ? unorm2_getNFKCInstance(&error)
                                     : form == "NFKD" ? unorm2_getNFKDInstance(&error)
                                                      : nullptr;
    if (!normalizer)
      invalid(fmt::format("Normalization form must be one of [NFD, NFC, NFKD, NFKC]"));
    std::vector<UChar> wide(text.size() + 1), out(text.size() * 18 + 8);
    int32_t length = 0;
    u_strFromUTF8(wide.data(), static_cast<int32_t>(wide.size()), &length, text.data(),
                  static_cast<int32_t>(text.size()), &error);
    length = unorm2_normalize(normalizer, wide.data(), length, out.data(),
                              static_cast<int32_t>(out.size()), &error);
    made.resize(static_cast<size_t>(length) * 3 + 1);
    int32_t bytes = 0;
    u_strToUTF8(made.data(), static_cast<int32_t>(made.size()), &bytes, out.data(), length, &error);
    if (U_FAILURE(error)) raise("GENERIC_INTERNAL_ERROR", "normalization failed");
    made.resize(static_cast<size_t>(bytes));
    return made;
  });
}

void from_utf8(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row), replacement = args.text(1, row);
    if (count_before(replacement, replacement.size()) > 1)
      invalid("Replacement character string must empty or a single character");
    made.clear();
    auto size = static_cast<int32_t>(text.size());
    for (int32_t at = 0; at < size;) {
      int32_t begin = at;
      UChar32 c = 0;
      U8_NEXT(text.data(), at, size, c);
      if (c < 0)
        made += replacement;
      else
        made += text.substr(static_cast<size_t>(begin), static_cast<size_t>(at - begin));
    }
    return made;
  });
}

void chr(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    int64_t c = args.value<int64_t>(0, row);
    if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
      invalid(fmt::format("Not a valid Unicode code point: {}", c));
    made.clear();
    append(static_cast<UChar32>(c), made);
    return made;
  });
}

// Without special casing: one code point becomes one code point.
void change_case(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row);
    bool upper = args.value<bool>(1, row);
    made.clear();
    for (UChar32 c : code_points(text)) append(upper ? u_toupper(c) : u_tolower(c), made);
    return made;
  });
}

void translate(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    auto from = code_points(args.text(1, row)), to = code_points(args.text(2, row));
    made.clear();
    for (UChar32 c : code_points(args.text(0, row))) {
      auto at = static_cast<size_t>(std::ranges::find(from, c) - from.begin());
      if (at == from.size())
        append(c, made);
      else if (at < to.size())
        append(to[at], made);
    }
    return made;
  });
}

void soundex(DataChunk& chunk, ExpressionState&, Vector& result) {
  static constexpr std::string_view kCodes = "01230120022455012623010202";
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    made.clear();
    char last = 0;
    for (UChar32 c : code_points(args.text(0, row))) {
      if (!u_isalpha(c)) continue;
      UChar32 upper = u_toupper(c);
      if (upper < 'A' || upper > 'Z')
        invalid(fmt::format("The character is not mapped: {} (index={})", static_cast<char>(upper),
                            made.size()));
      char code = kCodes[static_cast<size_t>(upper - 'A')];
      if (made.empty()) {
        made += static_cast<char>(upper);
        last = code;
        continue;
      }
      if (upper == 'H' || upper == 'W') continue;  // silent: they do not part equal codes
      if (code != '0' && code != last && made.size() < 4) made += code;
      last = code;
    }
    if (!made.empty()) made.resize(4, '0');
    return made;
  });
}

void stem(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view language = args.text(1, row);
    if (!word_stem(args.text(0, row), language, made))
      invalid(fmt::format("Unknown stemmer language: {}", language));
    return made;
  });
}

}  // namespace

std::vector<NativeFunction> native_text_functions() {
  return {
      {"aichemy_levenshtein", "VARCHAR, VARCHAR -> BIGINT", levenshtein},
      {"aichemy_hamming", "VARCHAR, VARCHAR -> BIGINT", hamming},
      {"aichemy_replace", "VARCHAR, VARCHAR, VARCHAR -> VARCHAR", replace},
      {"aichemy_strpos", "VARCHAR, VARCHAR, BIGINT -> BIGINT", strpos},
      {"aichemy_trim", "VARCHAR, INTEGER -> VARCHAR", trim},
      {"aichemy_reverse", "VARCHAR -> VARCHAR", reverse},
      {"aichemy_split_limit", "VARCHAR, VARCHAR, BIGINT -> VARCHAR[]", split_limit},
      {"aichemy_split_pairs",
       "VARCHAR, VARCHAR, VARCHAR, INTEGER -> STRUCT(k VARCHAR, v VARCHAR)[]", split_pairs},
      {"aichemy_normalize", "VARCHAR, VARCHAR -> VARCHAR", normalize},
      {"aichemy_from_utf8", "BLOB, VARCHAR -> VARCHAR", from_utf8},
      {"aichemy_chr", "BIGINT -> VARCHAR", chr},
      {"aichemy_change_case", "VARCHAR, BOOLEAN -> VARCHAR", change_case},
      {"aichemy_translate", "VARCHAR, VARCHAR, VARCHAR -> VARCHAR", translate},
      {"aichemy_soundex", "VARCHAR -> VARCHAR", soundex},
      {"aichemy_word_stem", "VARCHAR, VARCHAR -> VARCHAR", stem},
  };
}

}  // namespace aichemy::sql
