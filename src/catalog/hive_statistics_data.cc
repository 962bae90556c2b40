#include "catalog/hive_statistics_data.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "wire/thrift.h"

namespace aichemy::catalog {

namespace {

namespace thrift = wire::thrift;
using thrift::field;

struct Booleans {
  int64_t trues = 0, falses = 0, nulls = 0;
  std::optional<std::string> bits;
  static constexpr auto kFields =
      std::tuple{field(1, &Booleans::trues), field(2, &Booleans::falses),
                 field(3, &Booleans::nulls), field(4, &Booleans::bits)};
};

template <class T>
struct Range {
  std::optional<T> low, high;
  int64_t nulls = 0, distincts = 0;
  std::optional<std::string> bits;
  static constexpr auto kFields =
      std::tuple{field(1, &Range::low), field(2, &Range::high), field(3, &Range::nulls),
                 field(4, &Range::distincts), field(5, &Range::bits)};
};

// Days of a date, seconds of a timestamp.
struct Instant {
  int64_t count = 0;
  static constexpr auto kFields = std::tuple{field(1, &Instant::count)};
};

struct Decimal {
  std::string unscaled;  // big endian, two's complement
  int16_t scale = 0;
  static constexpr auto kFields =
      std::tuple{field(1, &Decimal::unscaled), field(3, &Decimal::scale)};
};

struct Texts {
  int64_t length_max = 0;
  double average_length = 0;
  int64_t nulls = 0, distincts = 0;
  std::optional<std::string> bits;
  static constexpr auto kFields =
      std::tuple{field(1, &Texts::length_max), field(2, &Texts::average_length),
                 field(3, &Texts::nulls), field(4, &Texts::distincts), field(5, &Texts::bits)};
};

struct Binaries {
  int64_t length_max = 0;
  double average_length = 0;
  int64_t nulls = 0;
  std::optional<std::string> bits;
  static constexpr auto kFields =
      std::tuple{field(1, &Binaries::length_max), field(2, &Binaries::average_length),
                 field(3, &Binaries::nulls), field(4, &Binaries::bits)};
};

struct Data {
  std::optional<Booleans> booleans;
  std::optional<Range<int64_t>> longs;
  std::optional<Range<double>> doubles;
  std::optional<Texts> texts;
  std::optional<Binaries> binaries;
  std::optional<Range<Decimal>> decimals;
  std::optional<Range<Instant>> dates;
  std::optional<Range<Instant>> timestamps;
  static constexpr auto kFields =
      std::tuple{field(1, &Data::booleans), field(2, &Data::longs),     field(3, &Data::doubles),
                 field(4, &Data::texts),    field(5, &Data::binaries),  field(6, &Data::decimals),
                 field(7, &Data::dates),    field(8, &Data::timestamps)};
};

// "-12.34" is -1234 of scale 2. Hive's decimals have 38 digits at most; it writes small ones with
// an exponent, "1E-7", as Java does.
Result<Decimal> decimal_of(std::string_view text) {
  auto broken = [&] {
    return fail(Code::corrupt, "metastore",
                "\"" + std::string(text) + "\" is no decimal of column statistics");
  };
  std::string_view rest = text;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  constexpr int kDigitsMax = 38, kExponentMax = 1000;
  int exponent = 0;
  if (size_t at = rest.find_first_of("eE"); at != std::string_view::npos) {
    std::string_view shift = rest.substr(at + 1);
    if (shift.starts_with('+')) shift.remove_prefix(1);
    auto [end, error] = std::from_chars(shift.data(), shift.data() + shift.size(), exponent);
    if (error != std::errc() || end != shift.data() + shift.size() ||
        std::abs(exponent) > kExponentMax)
      return broken();
    rest = rest.substr(0, at);
  }
  __int128 value = 0;
  int digits = 0, scale = 0;  // zeros in front are no digits
  bool after_point = false, any = false;
  for (char c : rest) {
    if (c == '.' && !after_point) {
      after_point = true;
      continue;
    }
    digits += digits > 0 || c != '0' ? 1 : 0;
    if (c < '0' || c > '9' || digits > kDigitsMax) return broken();
    value = value * 10 + (c - '0');
    scale += after_point ? 1 : 0;
    any = true;
  }
  if (!any) return broken();
  for (scale -= exponent; scale < 0; ++scale) {
    if (value != 0 && ++digits > kDigitsMax) return broken();
    value *= 10;
  }
  if (scale > kExponentMax) return broken();
  Decimal decimal;
  decimal.scale = static_cast<int16_t>(scale);
  if (negative) value = -value;
  bool done = false;
  while (!done) {
    decimal.unscaled.push_back(static_cast<char>(value & 0xff));
    bool sign = (value & 0x80) != 0;
    value >>= 8;
    done = (value == 0 && !sign) || (value == -1 && sign);
  }
  std::ranges::reverse(decimal.unscaled);
  return decimal;
}

Result<std::string> text_of(const Decimal& decimal) {
  if (decimal.unscaled.empty() || decimal.unscaled.size() > 16 || decimal.scale < 0)
    return fail(Code::corrupt, "thrift", "column statistics hold a decimal of another size");
  __int128 value = static_cast<int8_t>(decimal.unscaled[0]) < 0 ? -1 : 0;
  for (char c : decimal.unscaled) value = (value << 8) | static_cast<uint8_t>(c);
  bool negative = value < 0;
  // The smallest number has no positive twin: digits are taken one by one with their sign.
  std::string text;
  for (int digit = 0; value != 0 || digit <= decimal.scale; ++digit) {
    if (digit == decimal.scale && decimal.scale > 0) text.push_back('.');
    int last = static_cast<int>(value % 10);
    text.push_back(static_cast<char>('0' + (last < 0 ? -last : last)));
    value /= 10;
  }
  if (negative) text.push_back('-');
  std::ranges::reverse(text);
  return text;
}

template <class T>
Range<T> range_of(const StatisticsColumns& columns) {
  Range<T> range;
  range.nulls = columns.nulls;
  range.distincts = columns.distincts.value_or(0);
  range.bits = columns.bit_vector;
  return range;
}

template <class T>
void take_counts(const Range<T>& range, StatisticsColumns* columns) {
  columns->nulls = range.nulls;
  columns->distincts = range.distincts;
  columns->bit_vector = range.bits;
}

Range<Instant> instants_of(const StatisticsColumns& columns) {
  auto range = range_of<Instant>(columns);
  if (columns.long_low) range.low = Instant{*columns.long_low};
  if (columns.long_high) range.high = Instant{*columns.long_high};
  return range;
}

Status put_decimals(const StatisticsColumns& columns, Data* data) {
  auto range = range_of<Decimal>(columns);
  if (columns.decimal_low) {
    ASSIGN_OR_RETURN(range.low, decimal_of(*columns.decimal_low));
  }
  if (columns.decimal_high) {
    ASSIGN_OR_RETURN(range.high, decimal_of(*columns.decimal_high));
  }
  data->decimals = std::move(range);
  return {};
}

}  // namespace

Result<std::string> statistics_data(const StatisticsColumns& columns, std::string_view type,
                                    bool is_four) {
  std::string_view base = type.substr(0, type.find('('));
  auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, base) != names.end();
  };
  Data data;
  if (base == "boolean") {
    data.booleans = {columns.trues.value_or(0), columns.falses.value_or(0), columns.nulls,
                     columns.bit_vector};
  } else if (base == "date") {
    data.dates = instants_of(columns);
  } else if (base.starts_with("timestamp") && is_four) {
    data.timestamps = instants_of(columns);
  } else if (is_one_of({"tinyint", "smallint", "int", "integer", "bigint"}) ||
             base.starts_with("timestamp")) {
    data.longs = range_of<int64_t>(columns);
    data.longs->low = columns.long_low;
    data.longs->high = columns.long_high;
  } else if (is_one_of({"float", "double"})) {
    data.doubles = range_of<double>(columns);
    data.doubles->low = columns.double_low;
    data.doubles->high = columns.double_high;
  } else if (is_one_of({"string", "varchar", "char"})) {
    data.texts = {columns.length_max.value_or(0), columns.average_length.value_or(0), columns.nulls,
                  columns.distincts.value_or(0), columns.bit_vector};
  } else if (base == "binary") {
    data.binaries = {columns.length_max.value_or(0), columns.average_length.value_or(0),
                     columns.nulls, columns.bit_vector};
  } else if (base == "decimal") {
    RETURN_IF_ERROR(put_decimals(columns, &data));
  } else {
    return fail(Code::unsupported, "statistics",
                "there are no column statistics of type " + std::string(type));
  }
  return thrift::encode(data);
}

Result<StatisticsColumns> statistics_columns(const std::string& bytes) {
  ASSIGN_OR_RETURN(Data data, thrift::decode<Data>(bytes));
  StatisticsColumns out;
  if (data.booleans) {
    out.trues = data.booleans->trues;
    out.falses = data.booleans->falses;
    out.nulls = data.booleans->nulls;
    out.bit_vector = data.booleans->bits;
  }
  if (data.longs) {
    take_counts(*data.longs, &out);
    out.long_low = data.longs->low;
    out.long_high = data.longs->high;
  }
  if (data.doubles) {
    take_counts(*data.doubles, &out);
    out.double_low = data.doubles->low;
    out.double_high = data.doubles->high;
  }
  for (const auto* instants : {&data.dates, &data.timestamps}) {
    if (!*instants) continue;
    take_counts(**instants, &out);
    if ((*instants)->low) out.long_low = (*instants)->low->count;
    if ((*instants)->high) out.long_high = (*instants)->high->count;
  }
  if (data.decimals) {
    take_counts(*data.decimals, &out);
    if (data.decimals->low) {
      ASSIGN_OR_RETURN(out.decimal_low, text_of(*data.decimals->low));
    }
    if (data.decimals->high) {
      ASSIGN_OR_RETURN(out.decimal_high, text_of(*data.decimals->high));
    }
  }
  if (data.texts) {
    out.length_max = data.texts->length_max;
    out.average_length = data.texts->average_length;
    out.nulls = data.texts->nulls;
    out.distincts = data.texts->distincts;
    out.bit_vector = data.texts->bits;
  }
  if (data.binaries) {
    out.length_max = data.binaries->length_max;
    out.average_length = data.binaries->average_length;
    out.nulls = data.binaries->nulls;
    out.bit_vector = data.binaries->bits;
  }
  return out;
}

}  // namespace aichemy::catalog
