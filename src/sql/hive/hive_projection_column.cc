// The projections of a key: enum, integer, date, injected.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"
#include "sql/hive/date_pattern.h"
#include "sql/hive/hive_projection.h"
#include "sql/hive/numbers.h"
#include "tables/calendar.h"

namespace aichemy::sql {
namespace {

constexpr const char* kFormat = "partition_projection_format";
constexpr const char* kRange = "partition_projection_range";
constexpr const char* kUnit = "partition_projection_interval_unit";
constexpr int64_t kDaySeconds = 86'400, kMicros = 1'000'000;
constexpr int kDigitsMax = 64;

// A property of a column, the parameter's name after projection.<column>., and what it holds.
struct PropertyRow {
  enum class Kind : uint8_t { word, list, number, text } kind;
  const char* property;
  const char* parameter;
  const char* description;
};
constexpr PropertyRow kRows[] = {
    {PropertyRow::Kind::word, "partition_projection_type", "type", "Type of partition projection"},
    {PropertyRow::Kind::list, "partition_projection_values", "values",
     "Enum column projection values"},
    {PropertyRow::Kind::list, kRange, "range", "Integer or date column projection range"},
    {PropertyRow::Kind::number, "partition_projection_interval", "interval",
     "Integer or date column projection range interval"},
    {PropertyRow::Kind::word, kUnit, "interval.unit", "Date column projection range interval unit"},
    {PropertyRow::Kind::number, "partition_projection_digits", "digits",
     "Number of digits to be used with integer column projection"},
    {PropertyRow::Kind::text, kFormat, "format", "Date column projection format"},
};
const char* type_name(PropertyRow::Kind kind) {
  if (kind == PropertyRow::Kind::list) return "array(varchar)";
  return kind == PropertyRow::Kind::number ? "integer" : "varchar";
}

std::string key_of(const std::string& column, const char* parameter) {
  return fmt::format("projection.{}.{}", column, parameter);
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t end = std::min(text.find(','), text.size());
    if (auto item = trimmed(text.substr(0, end)); !item.empty()) out.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// What was given for a key.
struct Given {
  const ColumnInfo& column;
  const hive::Parameters& parameters;

  std::optional<std::string> text(const char* parameter) const {
    auto found = parameters.find(key_of(column.name, parameter));
    return found == parameters.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> required(const char* parameter, const char* property) const {
    auto found = text(parameter);
    if (found) return *found;
    return bad_projection(column.name, fmt::format("Missing required property: '{}'", property));
  }
  Result<std::optional<int32_t>> number(const char* parameter, int32_t least) const {
    auto found = text(parameter);
    if (!found) return std::nullopt;
    auto value = parse_number<int32_t>(*found);
    if (value && *value >= least) return value;
    return bad_projection(column.name, fmt::format("Property: 'partition_projection_{}' value '{}' "
                                                   "is invalid, it needs to be an integer of at "
                                                   "least {}",
                                                   parameter, *found, least));
  }
};

// ---- the base of all: a key with a type ----

class TypedProjection : public ColumnProjection {
 public:
  TypedProjection(const ColumnInfo& column, size_t index)
      : name_(column.name), type_(column.type), index_(index) {}

 protected:
  std::string name_;
  Type type_;
  size_t index_;  // in Table::columns

  bool may_match(const std::vector<Conjunct>& conjuncts, const tables::Value& value) const {
    return std::ranges::all_of(conjuncts, [&](const Conjunct& conjunct) {
      return is_true_for(conjunct, value, type_).value_or(true);
    });
  }

  // Of an equality or a list, the projected values it names; none: there is neither.
  std::optional<std::vector<std::string>> named(const std::vector<Conjunct>& conjuncts) const {
    for (const Conjunct& conjunct : conjuncts) {
      if (conjunct.op != Compare::eq && conjunct.op != Compare::in) continue;
      std::vector<std::string> out;
      std::set<std::string> seen;
      bool all = true;
      for (const Value& given : conjunct.values) {
        auto value = conjunct_value(given, type_);
        all = all && value.has_value();
        if (!value || !may_match(conjuncts, *value)) continue;
        auto text = text_of(*value);
        if (text && seen.insert(*text).second) out.push_back(std::move(*text));
      }
      if (all) return out;
    }
    return std::nullopt;
  }

  std::unexpected<Error> wrong_type() const {
    return bad_projection(name_, "Unsupported column type: " + type_.display());
  }
  std::unexpected<Error> too_many() const {
    return fail(Code::invalid, "HIVE_EXCEEDED_PARTITION_LIMIT",
                fmt::format("The projection of column '{}' has more than {} values to look at: "
                            "more predicates on it are needed",
                            name_, kProjectedValuesMax));
  }
};

class EnumProjection final : public TypedProjection {
 public:
  using TypedProjection::TypedProjection;
  Status set(const Given& given) {
    if (!type_.is(TypeKind::varchar)) return wrong_type();
    ASSIGN_OR_RETURN(std::string list, given.required("values", "partition_projection_values"));
    std::set<std::string> seen;
    for (std::string& value : split_list(list)) {
      if (seen.insert(value).second) values_.push_back(std::move(value));
    }
    return {};
  }
  std::optional<std::string> text_of(const tables::Value& value) const override {
    if (value.is_null()) return std::nullopt;
    auto found = std::ranges::find(values_, value.as_bytes());
    return found == values_.end() ? std::nullopt : std::optional(*found);
  }
  Result<std::vector<std::string>> values(const std::vector<Conjunct>& conjuncts) const override {
    std::vector<std::string> out;
    for (const std::string& value : values_) {
      if (may_match(conjuncts, tables::Value(value))) out.push_back(value);
    }
    return out;
  }

 private:
  std::vector<std::string> values_;
};

class InjectedProjection final : public TypedProjection {
 public:
  using TypedProjection::TypedProjection;
  Status set() {
    static constexpr TypeKind kOthers[] = {TypeKind::real, TypeKind::double_};
    if (std::ranges::find(kOthers, type_.kind) != std::end(kOthers)) return wrong_type();
    return {};
  }
  std::optional<std::string> text_of(const tables::Value& value) const override {
    auto text = partition_cell(value, type_);
    // No folder has an empty name.
    return text && !text->empty() ? text : std::nullopt;
  }
  Result<std::vector<std::string>> values(const std::vector<Conjunct>& conjuncts) const override {
    if (auto found = named(conjuncts)) return *found;
    std::string message =
        "Injected projection requires single predicate for it's column in where clause";
    if (!conjuncts.empty())
      message += ". Currently provided can't be converted to single partition.";
    return bad_projection(name_, message);
  }
};

// Values that are numbers in a range: integers, or the seconds of dates.
class RangeProjection : public TypedProjection {
 public:
  using TypedProjection::TypedProjection;
  Result<std::vector<std::string>> values(const std::vector<Conjunct>& conjuncts) const override {
    if (auto found = named(conjuncts)) return *found;
    int64_t low = left_, high = right_;
    narrow(conjuncts, low, high);
    low = std::min(low, right_ + 1);
    high = std::max(high, left_ - 1);
    if (low > left_) low = left_ + (low - left_ + step_ - 1) / step_ * step_;
    if (high >= low && (high - low) / step_ > kProjectedValuesMax) return too_many();
    std::vector<std::string> out;
    for (int64_t at = low; at <= high; at += step_) {
      std::string text = text_at(at);
      // Steps may be finer than the format, or than the key's type.
      if (!out.empty() && out.back() == text) continue;
      if (may_match(conjuncts, value_at(at, text))) out.push_back(std::move(text));
    }
    return out;
  }

 protected:
  int64_t left_ = 0, right_ = 0, step_ = 1;  // step_ > 0

  virtual std::string text_at(int64_t at) const = 0;
  virtual tables::Value value_at(int64_t at, const std::string& text) const = 0;
  // A number of the key's type (integer, days, microseconds), rounded down; none: the key is text.
  virtual std::optional<int64_t> number_of(int64_t value) const = 0;
  // How many numbers are one value of the key.
  virtual int64_t span() const { return 1; }

  bool is_projected(int64_t at) const {
    return at >= left_ && at <= right_ && (at - left_) % step_ == 0;
  }

 private:
  // The range that conjuncts leave, at least.
  void narrow(const std::vector<Conjunct>& conjuncts, int64_t& low, int64_t& high) const {
    for (const Conjunct& conjunct : conjuncts) {
      const auto* given =
          conjunct.values.empty() ? nullptr : std::get_if<int64_t>(&conjunct.values[0]);
      auto bound = given ? number_of(*given) : std::nullopt;
      if (!bound) continue;
      if (conjunct.op == Compare::gt || conjunct.op == Compare::ge) low = std::max(low, *bound);
      if (conjunct.op == Compare::lt || conjunct.op == Compare::le)
        high = std::min(high, *bound + span() - 1);
    }
  }
};

class IntegerProjection final : public RangeProjection {
 public:
  using RangeProjection::RangeProjection;
  Status set(const Given& given) {
    if (!type_.is(TypeKind::varchar) && !type_.is(TypeKind::integer) && !type_.is(TypeKind::bigint))
      return wrong_type();
    ASSIGN_OR_RETURN(std::string range, given.required("range", kRange));
    auto bounds = split_list(range);
    auto left = bounds.size() == 2 ? parse_number<int32_t>(bounds[0]) : std::nullopt;
    auto right = bounds.size() == 2 ? parse_number<int32_t>(bounds[1]) : std::nullopt;
    if (!left || !right)
      return bad_projection(name_,
                            fmt::format("Property: '{}' needs to be list of 2 integers", kRange));
    left_ = *left;
    right_ = *right;
    ASSIGN_OR_RETURN(auto step, given.number("interval", 1));
    step_ = step.value_or(1);
    ASSIGN_OR_RETURN(auto digits, given.number("digits", 1));
    digits_ = digits.value_or(0);
    if (digits_ > kDigitsMax) {
      return bad_projection(
          name_, fmt::format("Property: 'partition_projection_digits' has at most {}", kDigitsMax));
    }
    return {};
  }
  std::optional<std::string> text_of(const tables::Value& value) const override {
    if (value.is_null()) return std::nullopt;
    bool is_text = type_.is(TypeKind::varchar);
    std::optional<int64_t> number;
    if (is_text)
      number = parse_number<int32_t>(value.as_bytes());
    else
      number = value.as_int();
    if (!number || !is_projected(*number)) return std::nullopt;
    std::string text = text_at(*number);
    if (is_text && text != value.as_bytes()) return std::nullopt;
    return text;
  }

 protected:
  std::string text_at(int64_t at) const override {
    return digits_ > 0 ? fmt::format("{:0{}}", at, digits_) : std::to_string(at);
  }
  tables::Value value_at(int64_t at, const std::string& text) const override {
    return type_.is(TypeKind::varchar) ? tables::Value(text) : tables::Value(at);
  }
  std::optional<int64_t> number_of(int64_t value) const override { return value; }

 private:
  int digits_ = 0;
};

// ---- dates ----

struct UnitRow {
  const char* name;  // of java.time.temporal.ChronoUnit
  const char* shown;
  int64_t seconds;
};
constexpr UnitRow kUnits[] = {{"DAYS", "Days", kDaySeconds},
                              {"HOURS", "Hours", 3600},
                              {"MINUTES", "Minutes", 60},
                              {"SECONDS", "Seconds", 1}};
constexpr const char* kBoundPattern =
    R"(^\s*NOW\s*(([+-])\s*([0-9]+)\s*(DAY|HOUR|MINUTE|SECOND)S?\s*)?$)";

// "NOW", "NOW-3DAYS": seconds since 1970; none: it is a date then, or wrong.
std::optional<int64_t> bound_from_now(std::string_view text, int64_t now) {
  text = trimmed(text);
  if (!text.starts_with("NOW")) return std::nullopt;
  text = trimmed(text.substr(3));
  if (text.empty()) return now;
  bool minus = text[0] == '-';
  if (!minus && text[0] != '+') return std::nullopt;
  text = trimmed(text.substr(1));
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto count = parse_number<int32_t>(text.substr(0, digits));
  text = trimmed(text.substr(digits));
  if (!count) return std::nullopt;
  for (const UnitRow& unit : kUnits) {
    std::string_view name = unit.name;
    if (text != name && text != name.substr(0, name.size() - 1)) continue;
    int64_t seconds = *count * unit.seconds;
    return minus ? now - seconds : now + seconds;
  }
  return std::nullopt;
}

class DateProjection final : public RangeProjection {
 public:
  using RangeProjection::RangeProjection;
  Status set(const Given& given, int64_t now) {
    if (!type_.is(TypeKind::varchar) && !type_.is(TypeKind::date) && !type_.is(TypeKind::timestamp))
      return wrong_type();
    ASSIGN_OR_RETURN(pattern_text_, given.required("format", kFormat));
    auto pattern = DatePattern::parse_pattern(pattern_text_);
    if (!pattern) {
      return bad_projection(name_, fmt::format("Property: '{}' value '{}' is invalid: {}", kFormat,
                                               pattern_text_, pattern.error().message));
    }
    pattern_ = std::move(*pattern);
    ASSIGN_OR_RETURN(std::string range, given.required("range", kRange));
    auto bounds = split_list(range);
    if (bounds.size() != 2) return bad_range("");
    ASSIGN_OR_RETURN(left_, bound(bounds[0], now));
    ASSIGN_OR_RETURN(right_, bound(bounds[1], now));
    if (left_ >= right_) return bad_range("");
    ASSIGN_OR_RETURN(auto step, given.number("interval", 1));
    ASSIGN_OR_RETURN(int64_t unit, unit_seconds(given));
    step_ = step.value_or(1) * unit;
    // As finely as the format tells.
    auto left = pattern_.parse(pattern_.format(left_)),
         right = pattern_.parse(pattern_.format(right_));
    if (!left || !right) return bad_range(": the format names no day");
    left_ = *left;
    right_ = *right;
    if (left_ > right_) return bad_range(": the format does not tell its years apart");
    return {};
  }

  std::optional<std::string> text_of(const tables::Value& value) const override {
    if (value.is_null()) return std::nullopt;
    if (type_.is(TypeKind::varchar)) {
      auto at = pattern_.parse(value.as_bytes());
      if (!at || !is_projected(*at) || pattern_.format(*at) != value.as_bytes())
        return std::nullopt;
      return value.as_bytes();
    }
    int64_t number = value.as_int();
    if (type_.is(TypeKind::timestamp) && number % kMicros != 0) return std::nullopt;
    int64_t at = *number_of(number);
    if (!type_.is(TypeKind::date))
      return is_projected(at) ? std::optional(text_at(at)) : std::nullopt;
    // Some hour of the day may be projected.
    int64_t first = left_ > at ? left_ : left_ + (at - left_ + step_ - 1) / step_ * step_;
    if (first > right_ || first >= at + kDaySeconds) return std::nullopt;
    return text_at(at);
  }

  std::string in_location(const std::string& text) const override {
    if (type_.is(TypeKind::varchar)) return text;
    auto value = partition_value(text, type_, name_);
    if (!value || value->is_null()) return text;
    int64_t number = value->as_int();
    return pattern_.format(*number_of(number));
  }

  Status check_insert() const override {
    if (type_.is(TypeKind::varchar)) return {};
    // What stands in the location must be what Hive would read as the key's value.
    auto hive =
        DatePattern::parse_pattern(type_.is(TypeKind::date) ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss");
    if (hive && hive->format(0) == pattern_.format(0)) return {};
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Writing to date partition projection column '{}' with format '{}' is "
                            "not supported",
                            name_, pattern_text_));
  }

 protected:
  std::string text_at(int64_t at) const override {
    if (type_.is(TypeKind::varchar)) return pattern_.format(at);
    return partition_cell(value_at(at, ""), type_).value_or("");
  }
  tables::Value value_at(int64_t at, const std::string& text) const override {
    if (type_.is(TypeKind::varchar)) return tables::Value(text);
    if (type_.is(TypeKind::date)) return tables::Value(tables::floor_div(at, kDaySeconds));
    return tables::Value(at * kMicros);
  }
  std::optional<int64_t> number_of(int64_t value) const override {
    if (!type_.is(TypeKind::date)) return tables::floor_div(value, kMicros);
    constexpr int64_t kDaysMax = 100'000'000;
    return std::clamp(value, -kDaysMax, kDaysMax) * kDaySeconds;
  }
  int64_t span() const override { return type_.is(TypeKind::date) ? kDaySeconds : 1; }

 private:
  DatePattern pattern_;
  std::string pattern_text_;

  std::unexpected<Error> bad_range(const std::string& detail) const {
    return bad_projection(
        name_, fmt::format("Property: '{}' needs to be a list of 2 valid dates formatted as '{}' "
                           "or '{}' that are sequential{}",
                           kRange, pattern_text_, kBoundPattern, detail));
  }
  Result<int64_t> bound(const std::string& text, int64_t now) const {
    if (auto at = bound_from_now(text, now)) return *at;
    if (auto at = pattern_.parse(text)) return *at;
    return bad_range(fmt::format(": Text '{}' could not be parsed", text));
  }
  Result<int64_t> unit_seconds(const Given& given) const {
    auto unit = given.text("interval.unit");
    if (!unit && pattern_.has("SsmH")) {
      return bad_projection(
          name_, fmt::format("Property: '{}' needs to be set when provided '{}' is less than "
                             "single-day precision. Interval defaults to 1 day or 1 month, "
                             "respectively. Otherwise, interval is required",
                             kUnit, kFormat));
    }
    std::string name = upper(unit.value_or(pattern_.has("dD") ? "DAYS" : "MONTHS"));
    std::string known;
    for (const UnitRow& row : kUnits) {
      if (name == row.name) return row.seconds;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", row.shown);
    }
    return bad_projection(name_,
                          fmt::format("Property: '{}' value '{}' is invalid. Available options: "
                                      "[{}]",
                                      kUnit, name, known));
  }
};

template <class Projection, class... More>
Result<std::unique_ptr<ColumnProjection>> made(const ColumnInfo& column, size_t index,
                                               const More&... more) {
  auto projection = std::make_unique<Projection>(column, index);
  RETURN_IF_ERROR(projection->set(more...));
  return projection;
}

}  // namespace

std::unexpected<Error> bad_projection(const std::string& column, const std::string& message) {
  return fail(Code::invalid, "INVALID_COLUMN_PROPERTY",
              fmt::format("Column projection for column '{}' failed. {}", column, message));
}

Result<std::unique_ptr<ColumnProjection>> project_column(const ColumnInfo& column, size_t index,
                                                         const hive::Parameters& parameters,
                                                         int64_t now) {
  Given given{column, parameters};
  auto type = given.text("type");
  if (!type) return bad_projection(column.name, "Projection type property missing");
  std::string kind = upper(*type);
  if (kind == "ENUM") return made<EnumProjection>(column, index, given);
  if (kind == "INTEGER") return made<IntegerProjection>(column, index, given);
  if (kind == "DATE") return made<DateProjection>(column, index, given, now);
  if (kind == "INJECTED") return made<InjectedProjection>(column, index);
  return bad_projection(column.name, fmt::format("Unknown projection type: '{}'", *type));
}

const std::vector<PropertyInfo>& projection_column_properties() {
  static const std::vector<PropertyInfo> kProperties = [] {
    std::vector<PropertyInfo> out;
    for (const PropertyRow& row : kRows)
      out.push_back({row.property, "", type_name(row.kind), row.description});
    return out;
  }();
  return kProperties;
}

Status set_projection_parameters(const ColumnInfo& column, hive::Parameters& parameters) {
  for (const PropertyRow& row : kRows) {
    auto given = column.properties.find(row.property);
    if (given == column.properties.end()) continue;
    const std::string& value = given->second;
    std::string& to = parameters[key_of(column.name, row.parameter)];
    auto refuse = [&] {
      return fail(Code::invalid, "INVALID_COLUMN_PROPERTY",
                  fmt::format("Invalid value for catalog 'hive' column property '{}': Cannot "
                              "convert ['{}'] to {}",
                              row.property, value, type_name(row.kind)));
    };
    if (row.kind == PropertyRow::Kind::number && !parse_number<int32_t>(value)) return refuse();
    to = row.kind == PropertyRow::Kind::word ? lower(value) : value;
    if (row.kind != PropertyRow::Kind::list) continue;
    auto list = Json::parse(value);
    if (!list || !list->is_array()) return refuse();
    to.clear();
    for (const Json& item : list->as_array()) {
      if (!item.is_string()) return refuse();
      to += fmt::format("{}{}", to.empty() ? "" : ",", item.as_string());
    }
  }
  return {};
}

Properties projection_properties(const std::string& column, const hive::Parameters& parameters) {
  Properties shown;
  for (const PropertyRow& row : kRows) {
    auto found = parameters.find(key_of(column, row.parameter));
    if (found == parameters.end()) continue;
    std::string& to = shown[row.property];
    to = row.kind == PropertyRow::Kind::word ? upper(found->second) : found->second;
    if (row.kind != PropertyRow::Kind::list) continue;
    Json list = Json::array();
    for (const std::string& item : split_list(found->second)) list.push(item);
    to = list.dump();
  }
  return shown;
}

}  // namespace aichemy::sql
