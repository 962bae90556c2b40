// Regular expressions as Trino has them: Oniguruma with Java's syntax, matching on code points.
#include <oniguruma.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "sql/native/functions.h"

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

const OnigUChar* bytes(const char* at) { return reinterpret_cast<const OnigUChar*>(at); }

[[noreturn]] void invalid(const std::string& message) {
  raise("INVALID_FUNCTION_ARGUMENT", message);
}

struct Match {
  size_t begin = 0, end = 0;
};

// A compiled pattern. Scratch data (the region) belongs to it, so it is used by one thread.
class Regexp {
 public:
  explicit Regexp(std::string_view pattern) : pattern_(pattern) {
    static std::once_flag once;
    static OnigSyntaxType java;
    std::call_once(once, [] {
      OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
      onig_initialize(encodings, 1);
      // (?<name>...) is Java's since version 7; Oniguruma's table is older.
      onig_copy_syntax(&java, ONIG_SYNTAX_JAVA);
      onig_set_syntax_op2(&java, onig_get_syntax_op2(&java) | ONIG_SYN_OP2_QMARK_LT_NAMED_GROUP |
                                     ONIG_SYN_OP2_ESC_K_NAMED_BACKREF);
    });
    OnigErrorInfo info;
    const auto* begin = bytes(pattern_.data());
    int code = onig_new(&regex_, begin, begin + pattern_.size(), ONIG_OPTION_CAPTURE_GROUP,
                        ONIG_ENCODING_UTF8, &java, &info);
    if (code != ONIG_NORMAL) {
      OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
      int size = onig_error_code_to_str(text, code, &info);
      invalid(std::string(reinterpret_cast<char*>(text), static_cast<size_t>(size)));
    }
    region_ = onig_region_new();
  }
  Regexp(const Regexp&) = delete;
  Regexp& operator=(const Regexp&) = delete;
  ~Regexp() {
    if (region_) onig_region_free(region_, 1);
    if (regex_) onig_free(regex_);
  }

  const std::string& pattern() const { return pattern_; }
  int groups() const { return onig_number_of_captures(regex_); }

  // The first match at or after `from`; group() tells of it.
  std::optional<Match> find(std::string_view text, size_t from) {
    const auto* begin = bytes(text.data());
    auto at = onig_search(regex_, begin, begin + text.size(), begin + from, begin + text.size(),
                          region_, ONIG_OPTION_NONE);
    if (at == ONIG_MISMATCH) return std::nullopt;
    if (at < 0) raise("GENERIC_USER_ERROR", "Regular expression matching failed");
    return Match{static_cast<size_t>(region_->beg[0]), static_cast<size_t>(region_->end[0])};
  }
  std::optional<std::string_view> group(std::string_view text, int number) const {
    if (region_->beg[number] < 0) return std::nullopt;
    auto begin = static_cast<size_t>(region_->beg[number]),
         end = static_cast<size_t>(region_->end[number]);
    return text.substr(begin, end - begin);
  }
  int group_named(std::string_view name) const {
    int* numbers = nullptr;
    int count = onig_name_to_group_numbers(regex_, bytes(name.data()),
                                           bytes(name.data() + name.size()), &numbers);
    return count > 0 ? numbers[0] : -1;
  }

  // visit(match) for every match, empty ones included.
  template <class Visit>
  void each(std::string_view text, Visit visit) {
    for (size_t from = 0; from <= text.size();) {
      auto match = find(text, from);
      if (!match || !visit(*match)) return;
      from = match->end > match->begin ? match->end : next(text, match->end);
    }
  }
  // The place of the next code point.
  static size_t next(std::string_view text, size_t at) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return at;
  }

 private:
  std::string pattern_;
  regex_t* regex_ = nullptr;
  OnigRegion* region_ = nullptr;
};

// The last patterns of this thread: a constant pattern is compiled once a thread.
Regexp& compiled(std::string_view pattern) {
  static constexpr size_t kKept = 16;
  thread_local std::vector<std::unique_ptr<Regexp>> kept;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]->pattern() != pattern) continue;
    std::rotate(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(i),
                kept.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return *kept.front();
  }
  kept.insert(kept.begin(), std::make_unique<Regexp>(pattern));
  if (kept.size() > kKept) kept.pop_back();
  return *kept.front();
}

void check_group(const Regexp& regexp, int64_t group) {
  if (group < 0) invalid("Group cannot be negative");
  if (group > regexp.groups())
    invalid(fmt::format("Pattern has {} groups. Cannot access group {}", regexp.groups(), group));
}

void regexp_like(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<bool>(result, [&](idx_t row) {
    return compiled(args.text(1, row)).find(args.text(0, row), 0).has_value();
  });
}

// "$1", "${name}", "\$": what one match is replaced by.
void append_replacement(const Regexp& regexp, std::string_view text, std::string_view replacement,
                        std::string& out) {
  for (size_t i = 0; i < replacement.size();) {
    char c = replacement[i++];
    if (c == '\\') {
      if (i == replacement.size()) invalid("Illegal replacement sequence: backslash at the end");
      out += replacement[i++];
      continue;
    }
    if (c != '$') {
      out += c;
      continue;
    }
    int group = -1;
    if (i < replacement.size() && replacement[i] == '{') {
      size_t close = replacement.find('}', i);
      if (close == std::string_view::npos)
        invalid(fmt::format("Illegal replacement sequence: {}", replacement));
      std::string_view name = replacement.substr(i + 1, close - i - 1);
      group = regexp.group_named(name);
      if (group < 0)
        invalid(fmt::format("Illegal replacement sequence: unknown group {{ {} }}", name));
      i = close + 1;
    } else {
      if (i == replacement.size() || replacement[i] < '0' || replacement[i] > '9')
        invalid(fmt::format("Illegal replacement sequence: {}", replacement));
      group = replacement[i++] - '0';
      if (group > regexp.groups())
        invalid(fmt::format("Illegal replacement sequence: unknown group {}", group));
      // more digits belong to the number as long as such a group exists
      while (i < replacement.size() && replacement[i] >= '0' && replacement[i] <= '9') {
        int longer = group * 10 + (replacement[i] - '0');
        if (longer > regexp.groups()) break;
        group = longer;
        ++i;
      }
    }
    if (auto part = regexp.group(text, group)) out += *part;
  }
}

void regexp_replace(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  std::string made;
  args.each_text(result, [&](idx_t row) -> const std::string& {
    std::string_view text = args.text(0, row), replacement = args.text(2, row);
    Regexp& regexp = compiled(args.text(1, row));
    made.clear();
    size_t copied = 0;
    regexp.each(text, [&](const Match& match) {
      made += text.substr(copied, match.begin - copied);
      append_replacement(regexp, text, replacement, made);
      copied = match.end;
      return true;
    });
    made += text.substr(copied);
    return made;
  });
}

void regexp_extract(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    Regexp& regexp = compiled(args.text(1, row));
    int64_t group = args.value<int64_t>(2, row);
    check_group(regexp, group);
    std::optional<std::string_view> found;
    if (regexp.find(text, 0)) found = regexp.group(text, static_cast<int>(group));
    if (!found) return FlatVector::SetNull(result, row, true);
    FlatVector::GetData<duckdb::string_t>(result)[row] =
        StringVector::AddString(result, found->data(), found->size());
  });
}

// Appends texts to a list result, one list a row.
class TextLists {
 public:
  explicit TextLists(Vector& result) : result_(result) {}
  void begin(idx_t row) {
    row_ = row;
    from_ = size_;
  }
  void add(std::optional<std::string_view> text) {
    ListVector::Reserve(result_, size_ + 1);
    Vector& child = ListVector::GetEntry(result_);
    if (text) {
      FlatVector::GetData<duckdb::string_t>(child)[size_] =
          StringVector::AddString(child, text->data(), text->size());
    } else {
      FlatVector::SetNull(child, size_, true);
    }
    ++size_;
  }
  void end() {
    ListVector::GetData(result_)[row_] = {from_, size_ - from_};
    ListVector::SetListSize(result_, size_);
  }

 private:
  Vector& result_;
  idx_t row_ = 0, from_ = 0, size_ = 0;
};

void regexp_extract_all(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  TextLists lists(result);
  args.each(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    Regexp& regexp = compiled(args.text(1, row));
    int64_t group = args.value<int64_t>(2, row);
    check_group(regexp, group);
    lists.begin(row);
    regexp.each(text, [&](const Match&) {
      lists.add(regexp.group(text, static_cast<int>(group)));
      return true;
    });
    lists.end();
  });
}

void regexp_split(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  TextLists lists(result);
  args.each(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    size_t copied = 0;
    lists.begin(row);
    compiled(args.text(1, row)).each(text, [&](const Match& match) {
      lists.add(text.substr(copied, match.begin - copied));
      copied = match.end;
      return true;
    });
    lists.add(text.substr(copied));
    lists.end();
  });
}

void regexp_count(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<int64_t>(result, [&](idx_t row) {
    int64_t count = 0;
    compiled(args.text(1, row)).each(args.text(0, row), [&](const Match&) {
      ++count;
      return true;
    });
    return count;
  });
}

void regexp_position(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  args.each_value<int32_t>(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    int64_t start = args.value<int64_t>(2, row), wanted = args.value<int64_t>(3, row);
    if (start < 1) invalid("start position cannot be smaller than 1");
    if (wanted < 1) invalid("occurrence cannot be smaller than 1");
    size_t from = 0;
    for (int64_t i = 1; i < start; ++i) {
      if (from >= text.size()) return -1;
      from = Regexp::next(text, from);
    }
    if (from > text.size()) return -1;
    int64_t seen = 0;
    std::optional<size_t> found;
    std::string_view rest = text.substr(from);
    compiled(args.text(1, row)).each(rest, [&](const Match& match) {
      if (++seen < wanted) return true;
      found = match.begin;
      return false;
    });
    if (!found) return -1;
    int64_t place = start;
    for (size_t at = 0; at < *found; at = Regexp::next(rest, at)) ++place;
    return static_cast<int32_t>(place);
  });
}

// Every match as {before, groups}, then what follows the last one with groups NULL: a lambda is
// run over them (regexp_replace with a function).
void regexp_matches(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments args(chunk);
  idx_t size = 0, parts = 0;
  args.each(result, [&](idx_t row) {
    std::string_view text = args.text(0, row);
    Regexp& regexp = compiled(args.text(1, row));
    idx_t from = size;
    size_t copied = 0;
    auto add = [&](std::string_view before, bool matched) {
      ListVector::Reserve(result, size + 1);
      auto& fields = StructVector::GetEntries(ListVector::GetEntry(result));
      FlatVector::GetData<duckdb::string_t>(*fields[0])[size] =
          StringVector::AddString(*fields[0], before.data(), before.size());
      Vector& groups = *fields[1];
      if (!matched) {
        FlatVector::SetNull(groups, size, true);
        ListVector::GetData(groups)[size] = {parts, 0};
      } else {
        auto count = static_cast<idx_t>(regexp.groups());
        ListVector::Reserve(groups, parts + count);
        Vector& texts = ListVector::GetEntry(groups);
        ListVector::GetData(groups)[size] = {parts, count};
        for (int group = 1; group <= regexp.groups(); ++group, ++parts) {
          auto part = regexp.group(text, group);
          if (part) {
            FlatVector::GetData<duckdb::string_t>(texts)[parts] =
                StringVector::AddString(texts, part->data(), part->size());
          } else {
            FlatVector::SetNull(texts, parts, true);
          }
        }
        ListVector::SetListSize(groups, parts);
      }
      ++size;
      ListVector::SetListSize(result, size);
    };
    regexp.each(text, [&](const Match& match) {
      add(text.substr(copied, match.begin - copied), true);
      copied = match.end;
      return true;
    });
    add(text.substr(copied), false);
    ListVector::GetData(result)[row] = {from, size - from};
  });
}

}  // namespace

std::vector<NativeFunction> native_regexp_functions() {
  return {
      {"aichemy_regexp_like", "VARCHAR, VARCHAR -> BOOLEAN", regexp_like},
      {"aichemy_regexp_replace", "VARCHAR, VARCHAR, VARCHAR -> VARCHAR", regexp_replace},
      {"aichemy_regexp_extract", "VARCHAR, VARCHAR, BIGINT -> VARCHAR", regexp_extract},
      {"aichemy_regexp_extract_all", "VARCHAR, VARCHAR, BIGINT -> VARCHAR[]", regexp_extract_all},
      {"aichemy_regexp_split", "VARCHAR, VARCHAR -> VARCHAR[]", regexp_split},
      {"aichemy_regexp_count", "VARCHAR, VARCHAR -> BIGINT", regexp_count},
      {"aichemy_regexp_position", "VARCHAR, VARCHAR, BIGINT, BIGINT -> INTEGER", regexp_position},
      {"aichemy_regexp_matches", "VARCHAR, VARCHAR -> STRUCT(before VARCHAR, groups VARCHAR[])[]",
       regexp_matches},
  };
}

}  // namespace aichemy::sql
