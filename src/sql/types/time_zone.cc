#include "sql/types/time_zone.h"

#include <fmt/format.h>
#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/tztrans.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/check.h"

namespace aichemy::sql {
namespace {

constexpr Zone kFirstOffset = 1;  // -14:00
constexpr Zone kFirstName = 2048;
// Changes are kept up to here; later ones, rare in data, are asked of ICU.
constexpr int64_t kTableEnd = 4102444800;  // 2100-01-01

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made;
}

struct Change {
  int64_t at;      // UTC seconds
  int32_t offset;  // from then on
};

struct Rules {
  std::unique_ptr<icu::BasicTimeZone> zone;
  int32_t first_offset = 0;
  std::vector<Change> changes;
};

int32_t asked_offset(const icu::TimeZone& zone, int64_t utc_seconds) {
  int32_t raw = 0, daylight = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone.getOffset(static_cast<UDate>(utc_seconds) * 1000.0, false, raw, daylight, status);
  return U_FAILURE(status) ? 0 : (raw + daylight) / 1000;
}

std::unique_ptr<Rules> read_rules(const std::string& name) {
  auto made = std::make_unique<Rules>();
  auto* zone = icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name));
  made->zone.reset(dynamic_cast<icu::BasicTimeZone*>(zone));
  CHECK(made->zone != nullptr);
  constexpr double kStart = -1e15;  // long before the first change of any zone
  made->first_offset = asked_offset(*made->zone, static_cast<int64_t>(kStart / 1000));
  icu::TimeZoneTransition next;
  double at = kStart;
  int32_t last = made->first_offset;
  while (made->zone->getNextTransition(at, false, next)) {
    at = next.getTime();
    auto seconds = static_cast<int64_t>(at / 1000);
    if (seconds >= kTableEnd) break;
    int32_t offset = asked_offset(*made->zone, seconds);
    if (offset != last) made->changes.push_back({seconds, offset});
    last = offset;
  }
  return made;
}

struct Names {
  std::vector<std::string> names;  // by number - kFirstName
  std::map<std::string, Zone, std::less<>> numbers;
  std::vector<std::string> offsets;
  std::mutex mutex;
  std::vector<std::unique_ptr<Rules>> owned;
  std::vector<std::atomic<const Rules*>> rules;
};

Names& names() {
  static auto* made = [] {
    auto* all = new Names();
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::StringEnumeration> ids(
        icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, status));
    std::vector<std::string> found;
    while (ids && U_SUCCESS(status)) {
      const char* id = ids->next(nullptr, status);
      if (!id) break;
      found.emplace_back(id);
    }
    std::ranges::sort(found);
    for (auto& id : found) {
      if (id == "Etc/Unknown" || all->names.size() > kZoneMax - kFirstName) continue;
      all->numbers.emplace(lower(id), kFirstName + static_cast<Zone>(all->names.size()));
      all->names.push_back(std::move(id));
    }
    for (int minutes = -kOffsetMinutesMax; minutes <= kOffsetMinutesMax; ++minutes) {
      int size = std::abs(minutes);
      all->offsets.push_back(
          fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60));
    }
    all->rules = std::vector<std::atomic<const Rules*>>(all->names.size());
    return all;
  }();
  return *made;
}

const Rules& rules_of(Zone zone) {
  Names& all = names();
  auto at = static_cast<size_t>(zone - kFirstName);
  CHECK(at < all.names.size());
  if (const Rules* found = all.rules[at].load(std::memory_order_acquire)) return *found;
  std::lock_guard lock(all.mutex);
  if (const Rules* found = all.rules[at].load(std::memory_order_acquire)) return *found;
  all.owned.push_back(read_rules(all.names[at]));
  all.rules[at].store(all.owned.back().get(), std::memory_order_release);
  return *all.owned.back();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// +H, +HH, +HH:MM.
std::optional<int> offset_minutes(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string_view hours = text.substr(1, text.find(':') - 1);
  std::string_view minutes = "00";
  if (text.size() != hours.size() + 1) minutes = text.substr(hours.size() + 2);
  bool shape = (hours.size() == 1 || hours.size() == 2) && minutes.size() == 2 &&
               std::ranges::all_of(hours, is_digit) && std::ranges::all_of(minutes, is_digit);
  if (!shape || (hours.size() == 1 && text.size() > 2)) return std::nullopt;
  int hour = hours.size() == 1 ? hours[0] - '0' : (hours[0] - '0') * 10 + hours[1] - '0';
  int minute = (minutes[0] - '0') * 10 + minutes[1] - '0';
  int total = hour * 60 + minute;
  if (minute > 59 || total > kOffsetMinutesMax) return std::nullopt;
  return text[0] == '-' ? -total : total;
}

}  // namespace

std::optional<Zone> find_zone(std::string_view name) {
  std::string text = lower(name);
  static constexpr std::string_view kUtcNames[] = {"utc",  "z",         "ut",        "uct", "gmt",
                                                   "gmt0", "greenwich", "universal", "zulu"};
  std::string_view rest = text;
  bool etc = rest.starts_with("etc/");
  if (etc) rest.remove_prefix(4);
  if (std::ranges::find(kUtcNames, rest) != std::end(kUtcNames)) return kUtc;
  bool flipped = etc && rest.starts_with("gmt");  // Etc/GMT+5 is five hours west
  for (std::string_view prefix : {"utc", "gmt", "ut"}) {
    if (rest.size() > prefix.size() && rest.starts_with(prefix)) {
      rest.remove_prefix(prefix.size());
      break;
    }
  }
  if (auto minutes = offset_minutes(rest)) return zone_of_offset(flipped ? -*minutes : *minutes);
  const auto& numbers = names().numbers;
  auto found = numbers.find(text);
  if (found == numbers.end()) return std::nullopt;
  return found->second;
}

Zone zone_of_offset(int minutes) {
  CHECK(minutes >= -kOffsetMinutesMax && minutes <= kOffsetMinutesMax);
  return minutes == 0 ? kUtc : kFirstOffset + kOffsetMinutesMax + minutes;
}

bool is_zone(int64_t number) {
  bool offset = number >= 0 && number <= kFirstOffset + 2 * kOffsetMinutesMax;
  return offset ||
         (number >= kFirstName && number < kFirstName + static_cast<int64_t>(names().names.size()));
}

const std::string& zone_name(Zone zone) {
  static const std::string kUtcName = "UTC";
  if (zone == kUtc) return kUtcName;
  if (zone < kFirstName) return names().offsets[static_cast<size_t>(zone - kFirstOffset)];
  return names().names[static_cast<size_t>(zone - kFirstName)];
}

int32_t offset_at(Zone zone, int64_t utc_seconds) {
  if (zone == kUtc) return 0;
  if (zone < kFirstName) return (zone - kFirstOffset - kOffsetMinutesMax) * 60;
  const Rules& rules = rules_of(zone);
  if (utc_seconds >= kTableEnd) return asked_offset(*rules.zone, utc_seconds);
  auto after = std::ranges::upper_bound(rules.changes, utc_seconds, {}, &Change::at);
  return after == rules.changes.begin() ? rules.first_offset : std::prev(after)->offset;
}

int64_t to_utc(Zone zone, int64_t local_seconds) {
  if (zone < kFirstName) return local_seconds - offset_at(zone, 0);
  constexpr int64_t kDay = 86400;
  // No zone changes twice within two days: one offset holds a day before, one a day after.
  int32_t before = offset_at(zone, local_seconds - kDay),
          after = offset_at(zone, local_seconds + kDay);
  if (before == after || offset_at(zone, local_seconds - before) == before)
    return local_seconds - before;
  if (offset_at(zone, local_seconds - after) == after) return local_seconds - after;
  return local_seconds - before;  // in a gap
}

}  // namespace aichemy::sql
