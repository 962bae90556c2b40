// Time zones as small numbers, so that a value can carry its zone: 0 is UTC, then every offset of
// whole minutes up to 14 hours, then the names ICU knows. Numbers are good for one run of the
// process only. The rules (offsets at an instant, gaps and overlaps) are those of java.time, which
// Trino uses: in an overlap the earlier offset, in a gap the time is moved by the gap's length.
// Thread-safe; rules of a zone are read once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aichemy::sql {

using Zone = int32_t;

constexpr Zone kUtc = 0;
constexpr int kOffsetMinutesMax = 14 * 60;
constexpr Zone kZoneMax = 4095;

// An IANA name in any case, UTC and its synonyms, +HH:MM, UTC+H and the like. None: no such zone.
std::optional<Zone> find_zone(std::string_view name);
// +-14:00 at most.
Zone zone_of_offset(int minutes);
bool is_zone(int64_t number);
// "UTC", "+01:30", "Europe/Vienna".
const std::string& zone_name(Zone zone);
// Seconds east of UTC at an instant.
int32_t offset_at(Zone zone, int64_t utc_seconds);
// The instant at which clocks of the zone show this local time.
int64_t to_utc(Zone zone, int64_t local_seconds);

}  // namespace aichemy::sql
