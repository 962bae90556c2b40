#include "sql/types/moment_format.h"

#include <fmt/format.h>
#include <unicode/dtfmtsym.h>
#include <unicode/locid.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace aichemy::sql {

using Kind = PatternElement::Kind;

namespace {

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

std::vector<std::string> texts(const icu::UnicodeString* list, int32_t count) {
  std::vector<std::string> made;
  for (int32_t i = 0; i < count; ++i) made.push_back(utf8(list[i]));
  return made;
}

std::unexpected<Error> bad(std::string message) {
  return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT", std::move(message));
}

PatternElement element(Kind kind, int digits = 1, int digits_max = 0, bool brief = false) {
  PatternElement made;
  made.kind = kind;
  made.digits = digits;
  made.digits_max = digits_max ? digits_max : std::max(digits, 2);
  made.brief = brief;
  return made;
}

void add_literal(std::vector<PatternElement>& elements, std::string_view text) {
  if (elements.empty() || elements.back().kind != Kind::literal) {
    elements.emplace_back();
    elements.back().digits_max = 0;
  }
  elements.back().text += text;
}

struct MysqlRow {
  char letter;
  Kind kind;
  int digits, digits_max;
  bool brief;
};
constexpr MysqlRow kMysql[] = {
    {'a', Kind::day_of_week_text, 0, 0, true},
    {'b', Kind::month_text, 0, 0, true},
    {'c', Kind::month, 1, 2, false},
    {'d', Kind::day, 2, 2, false},
    {'e', Kind::day, 1, 2, false},
    {'f', Kind::fraction, 6, 9, false},
    {'H', Kind::hour, 2, 2, false},
    {'h', Kind::clock_hour_of_half, 2, 2, false},
    {'I', Kind::clock_hour_of_half, 2, 2, false},
    {'i', Kind::minute, 2, 2, false},
    {'j', Kind::day_of_year, 3, 3, false},
    {'k', Kind::hour, 1, 2, false},
    {'l', Kind::clock_hour_of_half, 1, 2, false},
    {'M', Kind::month_text, 0, 0, false},
    {'m', Kind::month, 2, 2, false},
    {'p', Kind::half_text, 0, 0, false},
    {'S', Kind::second, 2, 2, false},
    {'s', Kind::second, 2, 2, false},
    {'v', Kind::week, 2, 2, false},
    {'W', Kind::day_of_week_text, 0, 0, false},
    {'x', Kind::weekyear, 4, 4, false},
    {'Y', Kind::year, 4, 4, false},
    {'y', Kind::year_two_digits, 2, 2, false},
};

struct JodaRow {
  char letter;
  Kind kind;
};
constexpr JodaRow kJoda[] = {
    {'G', Kind::era},
    {'C', Kind::century},
    {'Y', Kind::year_of_era},
    {'x', Kind::weekyear},
    {'w', Kind::week},
    {'e', Kind::day_of_week},
    {'E', Kind::day_of_week_text},
    {'y', Kind::year},
    {'D', Kind::day_of_year},
    {'M', Kind::month},
    {'d', Kind::day},
    {'a', Kind::half_text},
    {'K', Kind::hour_of_half},
    {'h', Kind::clock_hour_of_half},
    {'H', Kind::hour},
    {'k', Kind::clock_hour},
    {'m', Kind::minute},
    {'s', Kind::second},
    {'S', Kind::fraction},
    {'z', Kind::zone_text},
    {'Z', Kind::zone_offset},
};

struct TeradataRow {
  std::string_view text;
  Kind kind;
  int digits;
};
constexpr TeradataRow kTeradata[] = {
    {"yyyy", Kind::year, 4},
    {"yy", Kind::year_two_digits, 2},
    {"mm", Kind::month, 2},
    {"mi", Kind::minute, 2},
    {"dd", Kind::day, 2},
    {"hh24", Kind::hour, 2},
    {"hh", Kind::clock_hour_of_half, 2},
    {"ss", Kind::second, 2},
};

}  // namespace

bool PatternElement::is_numeric() const {
  switch (kind) {
    case Kind::literal:
    case Kind::era:
    case Kind::day_of_week_text:
    case Kind::month_text:
    case Kind::half_text:
    case Kind::zone_text:
    case Kind::zone_offset:
    case Kind::zone_offset_colon:
    case Kind::zone_id: return false;
    default: return true;
  }
}

MomentPattern::MomentPattern(const std::string& language) {
  static std::mutex mutex;
  static auto* known = new std::map<std::string, std::shared_ptr<const Names>>();
  std::lock_guard lock(mutex);
  auto& names = (*known)[known->size() > 1000 ? "en-US" : language];
  if (!names) {
    UErrorCode status = U_ZERO_ERROR;
    auto made = std::make_shared<Names>();
    made->language = language;
    icu::Locale locale = icu::Locale::forLanguageTag(language, status);
    if (U_FAILURE(status)) locale = icu::Locale::getEnglish();
    status = U_ZERO_ERROR;
    icu::DateFormatSymbols symbols(locale, status);
    int32_t count = 0;
    const auto* list = symbols.getMonths(count);
    made->months = texts(list, count);
    list = symbols.getShortMonths(count);
    made->months_brief = texts(list, count);
    list = symbols.getWeekdays(count);
    made->days = texts(list + 1, count - 1);
    list = symbols.getShortWeekdays(count);
    made->days_brief = texts(list + 1, count - 1);
    list = symbols.getAmPmStrings(count);
    made->halves = texts(list, std::min(count, 2));
    list = symbols.getEras(count);
    made->eras = texts(list, std::min(count, 2));
    names = std::move(made);
  }
  names_ = names;
}

Result<MomentPattern> MomentPattern::mysql(std::string_view pattern, const std::string& language) {
  MomentPattern made(language);
  auto& elements = made.elements_;
  auto add = [&](char letter) {
    for (const auto& row : kMysql) {
      if (row.letter == letter)
        elements.push_back(element(row.kind, row.digits, row.digits_max, row.brief));
    }
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      add_literal(elements, pattern.substr(i, 1));
      continue;
    }
    if (++i >= pattern.size()) break;
    char letter = pattern[i];
    static constexpr std::string_view kRefused = "DUuVwX";
    if (kRefused.find(letter) != std::string_view::npos)
      return bad(fmt::format("%{} not supported in date format string", letter));
    bool known = std::ranges::any_of(kMysql, [&](const auto& row) { return row.letter == letter; });
    if (letter == 'r' || letter == 'T') {  // hh:mm:ss AM, HH:mm:ss
      add(letter == 'r' ? 'h' : 'H');
      add_literal(elements, ":");
      add('i');
      add_literal(elements, ":");
      add('s');
      if (letter == 'r') {
        add_literal(elements, " ");
        add('p');
      }
    } else if (known) {
      add(letter);
    } else {
      add_literal(elements, pattern.substr(i, 1));
    }
  }
  if (elements.empty()) return bad("Both printing and parsing not supported");
  return made;
}

Result<MomentPattern> MomentPattern::joda(std::string_view pattern, const std::string& language) {
  MomentPattern made(language);
  auto& elements = made.elements_;
  if (pattern.empty()) return bad("Invalid pattern specification");
  for (size_t i = 0; i < pattern.size();) {
    char letter = pattern[i];
    if (letter == '\'') {
      size_t close = i + 1;
      std::string text;
      for (; close < pattern.size(); ++close) {
        if (pattern[close] != '\'') {
          text += pattern[close];
        } else if (close + 1 < pattern.size() && pattern[close + 1] == '\'') {
          text += '\'';
          ++close;
        } else {
          break;
        }
      }
      add_literal(elements, close == i + 1 ? "'" : std::string_view(text));
      i = close + 1;
      continue;
    }
    bool letters = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    if (!letters) {
      add_literal(elements, pattern.substr(i++, 1));
      continue;
    }
    size_t end = pattern.find_first_not_of(letter, i);
    auto count = static_cast<int>((end == std::string_view::npos ? pattern.size() : end) - i);
    i += static_cast<size_t>(count);
    const auto* row = std::ranges::find(kJoda, letter, &JodaRow::letter);
    if (row == std::end(kJoda)) return bad(fmt::format("Illegal pattern component: {}", letter));
    PatternElement one = element(row->kind, count, 9);
    bool year =
        row->kind == Kind::year || row->kind == Kind::year_of_era || row->kind == Kind::weekyear;
    if (year && count == 2) one.kind = Kind::year_two_digits;
    if (row->kind == Kind::month && count >= 3) {
      one.kind = Kind::month_text;
      one.brief = count == 3;
    }
    if (row->kind == Kind::day_of_week_text) one.brief = count <= 3;
    if (row->kind == Kind::zone_offset && count == 2) one.kind = Kind::zone_offset_colon;
    if (row->kind == Kind::zone_offset && count > 2) one.kind = Kind::zone_id;
    if (row->kind == Kind::zone_text) one.brief = count < 4;
    if (row->kind == Kind::fraction) one.digits_max = count;
    if (!year && row->kind != Kind::fraction && row->kind != Kind::day_of_year) one.digits_max = 2;
    if (row->kind == Kind::day_of_year) one.digits_max = 3;
    elements.push_back(std::move(one));
  }
  // A year directly before another number takes its own digits only.
  for (size_t i = 0; i + 1 < elements.size(); ++i) {
    if (elements[i].is_numeric() && elements[i + 1].is_numeric() && elements[i].digits_max > 3)
      elements[i].digits_max = std::max(elements[i].digits, 1);
  }
  return made;
}

Result<MomentPattern> MomentPattern::teradata(std::string_view pattern) {
  MomentPattern made("en-US");
  made.strict_ = true;
  for (size_t i = 0; i < pattern.size();) {
    const TeradataRow* found = nullptr;
    for (const auto& row : kTeradata) {
      bool longer = !found || row.text.size() > found->text.size();
      if (pattern.substr(i).starts_with(row.text) && longer) found = &row;
    }
    if (found) {
      made.elements_.push_back(element(found->kind, found->digits, found->digits));
      i += found->text.size();
      continue;
    }
    static constexpr std::string_view kPlain = "-/,.;: ";
    if (kPlain.find(pattern[i]) == std::string_view::npos) {
      return bad(fmt::format("Failed to tokenize string [{}] at offset [{}]", pattern, i));
    }
    add_literal(made.elements_, pattern.substr(i++, 1));
  }
  return made;
}

// ---- printing ----

void MomentPattern::append(std::string& out, const PatternElement& part, const Moment& local,
                           int32_t offset, Zone zone) const {
  int64_t days = floor_div(local.seconds, kSecondsPerDay);
  int64_t clock = floor_mod(local.seconds, kSecondsPerDay), hour = clock / 3600;
  CivilDay day = civil_of(days);
  auto number = [&](int64_t value) {
    out += value < 0 ? fmt::format("-{:0{}}", -value, part.digits)
                     : fmt::format("{:0{}}", value, part.digits);
  };
  auto weekday = static_cast<size_t>(floor_mod(days + 4, 7));  // Sunday is 0
  int64_t week_year = 0;
  int64_t week = iso_week(days, week_year);
  int64_t of_era = day.year > 0 ? day.year : 1 - day.year;
  switch (part.kind) {
    case Kind::literal: out += part.text; break;
    case Kind::era: out += names_->eras.at(day.year > 0 ? 1 : 0); break;
    case Kind::century: number(of_era / 100); break;
    case Kind::year: number(day.year); break;
    case Kind::year_of_era: number(of_era); break;
    case Kind::year_two_digits: out += fmt::format("{:02}", floor_mod(day.year, 100)); break;
    case Kind::weekyear: number(week_year); break;
    case Kind::week: number(week); break;
    case Kind::day_of_week: number(weekday == 0 ? 7 : static_cast<int64_t>(weekday)); break;
    case Kind::day_of_week_text:
      out += (part.brief ? names_->days_brief : names_->days).at(weekday);
      break;
    case Kind::day_of_year: number(days - days_of({day.year, 1, 1}) + 1); break;
    case Kind::month: number(day.month); break;
    case Kind::month_text:
      out += (part.brief ? names_->months_brief : names_->months)
                 .at(static_cast<size_t>(day.month - 1));
      break;
    case Kind::day: number(day.day); break;
    case Kind::half_text: out += names_->halves.at(hour >= 12 ? 1 : 0); break;
    case Kind::hour_of_half: number(hour % 12); break;
    case Kind::clock_hour_of_half: number(hour % 12 == 0 ? 12 : hour % 12); break;
    case Kind::hour: number(hour); break;
    case Kind::clock_hour: number(hour == 0 ? 24 : hour); break;
    case Kind::minute: number(clock / 60 % 60); break;
    case Kind::second: number(clock % 60); break;
    case Kind::fraction: {
      std::string all = fmt::format("{:012}", local.picos);
      all.resize(static_cast<size_t>(std::max(part.digits, 1)), '0');
      out += all;
      break;
    }
    case Kind::zone_text: {
      if (zone == kUtc) {
        out += part.brief ? "UTC" : "Coordinated Universal Time";
        break;
      }
      std::unique_ptr<icu::TimeZone> found(
          icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone_name(zone))));
      bool daylight = offset * 1000 != found->getRawOffset();
      icu::UnicodeString text;
      found->getDisplayName(daylight, part.brief ? icu::TimeZone::SHORT : icu::TimeZone::LONG,
                            icu::Locale(names_->language.c_str()), text);
      out += utf8(text);
      break;
    }
    case Kind::zone_offset:
    case Kind::zone_offset_colon: {
      int32_t size = std::abs(offset);
      out += fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', size / 3600,
                         part.kind == Kind::zone_offset ? "" : ":", size / 60 % 60);
      break;
    }
    case Kind::zone_id: out += zone_name(zone); break;
  }
}

std::string MomentPattern::format(TypeKind kind, const Moment& moment, Zone zone) const {
  Moment value = rounded(kind, moment, 3);
  Moment local{local_seconds(kind, value), value.picos, kUtc};
  bool zoned = kind == TypeKind::timestamp_tz;
  if (zoned) zone = value.zone;
  int32_t offset = zoned ? offset_at(zone, value.seconds)
                         : static_cast<int32_t>(value.seconds - to_utc(zone, value.seconds));
  std::string out;
  for (const auto& part : elements_) append(out, part, local, offset, zone);
  return out;
}

}  // namespace aichemy::sql
