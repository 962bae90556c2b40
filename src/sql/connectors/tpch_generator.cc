#include "sql/connectors/tpch_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "sql/connectors/tpch_text.h"

namespace aichemy::sql {
namespace {

constexpr int64_t kFirstDay = 8035;  // 1992-01-01
constexpr int64_t kLastOrderDay = 8035 + 2405;
constexpr int64_t kToday = 9298;  // 1995-06-17: what lies before is shipped
constexpr int64_t kLineMax = 7;

struct Nation {
  const char* name;
  int region;
};
constexpr Nation kNations[] = {
    {"ALGERIA", 0},      {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
    {"EGYPT", 4},        {"ETHIOPIA", 0},  {"FRANCE", 3}, {"GERMANY", 3},
    {"INDIA", 2},        {"INDONESIA", 2}, {"IRAN", 4},   {"IRAQ", 4},
    {"JAPAN", 2},        {"JORDAN", 4},    {"KENYA", 0},  {"MOROCCO", 0},
    {"MOZAMBIQUE", 0},   {"PERU", 1},      {"CHINA", 2},  {"ROMANIA", 3},
    {"SAUDI ARABIA", 4}, {"VIETNAM", 2},   {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
    {"UNITED STATES", 1}};
constexpr const char* kRegions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
constexpr const char* kSegments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD",
                                     "MACHINERY"};
constexpr const char* kPriorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED",
                                       "5-LOW"};
constexpr const char* kInstructions[] = {"DELIVER IN PERSON", "COLLECT COD", "TAKE BACK RETURN",
                                         "NONE"};
constexpr const char* kModes[] = {"REG AIR", "AIR", "RAIL", "TRUCK", "MAIL", "FOB", "SHIP"};
constexpr const char* kFlags[] = {"R", "A"};

// A range of units and where its rows go.
struct Range {
  uint64_t first = 0, count = 0;
  double scale = 1;
  TpchValues* out = nullptr;

  int64_t scaled(int64_t base) const {
    return static_cast<int64_t>(static_cast<double>(base) * scale);
  }
  void text(std::string_view value) const {
    out->bytes += value;
    end();
  }
  void end() const { out->ends.push_back(static_cast<uint32_t>(out->bytes.size())); }
  void cents(int64_t value) const { out->real.push_back(static_cast<double>(value) / 100.0); }

  // visit(unit, stream) for every unit, the stream at the unit's first draw.
  template <class Visit>
  void each(TpchStream stream, Visit visit) const {
    stream.start(first);
    for (uint64_t i = 0; i < count; ++i) {
      visit(first + i, stream);
      stream.finish_unit();
    }
  }
};

void comment(TpchStream& stream, int average, std::string& out) {
  auto low = static_cast<int64_t>(average * 0.4), high = static_cast<int64_t>(average * 1.6);
  auto offset = stream.next(0, static_cast<int64_t>(TpchText::kBytes) - high);
  auto length = stream.next(low, high);
  TpchText::shared().append(static_cast<uint64_t>(offset), static_cast<size_t>(length), out);
}

void comments(const Range& range, uint64_t seed, int average, uint32_t rows_per_unit = 1) {
  range.each(TpchStream(seed, 2 * rows_per_unit), [&](uint64_t, TpchStream& stream) {
    for (uint32_t row = 0; row < rows_per_unit; ++row) {
      comment(stream, average, range.out->bytes);
      range.end();
    }
  });
}

void numbers(const Range& range, uint64_t seed, int64_t low, int64_t high) {
  range.each(TpchStream(seed, 1), [&](uint64_t, TpchStream& stream) {
    range.out->whole.push_back(stream.next(low, high));
  });
}

void money(const Range& range, uint64_t seed, int64_t low, int64_t high, uint32_t rows = 1) {
  range.each(TpchStream(seed, rows), [&](uint64_t, TpchStream& stream) {
    for (uint32_t row = 0; row < rows; ++row) range.cents(stream.next(low, high));
  });
}

template <class Words>
void words(const Range& range, uint64_t seed, const Words& list) {
  range.each(TpchStream(seed, 1), [&](uint64_t, TpchStream& stream) {
    range.text(list[static_cast<size_t>(stream.next(0, std::ssize(list) - 1))]);
  });
}

void keys(const Range& range) {
  for (uint64_t i = 0; i < range.count; ++i)
    range.out->whole.push_back(static_cast<int64_t>(range.first + i + 1));
}

void labels(const Range& range, std::string_view label) {
  for (uint64_t i = 0; i < range.count; ++i)
    range.text(fmt::format("{}#{:09}", label, range.first + i + 1));
}

void addresses(const Range& range, uint64_t seed) {
  static constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
  range.each(TpchStream(seed, 9), [&](uint64_t, TpchStream& stream) {
    int64_t length = stream.next(10, 40), bits = 0;
    for (int64_t i = 0; i < length; ++i, bits >>= 6) {
      if (i % 5 == 0) bits = stream.next(0, 2147483647);
      range.out->bytes += kLetters[static_cast<size_t>(bits & 63)];
    }
    range.end();
  });
}

void phones(const Range& range, uint64_t nation_seed, uint64_t seed) {
  TpchStream nation(nation_seed, 1);
  nation.start(range.first);
  range.each(TpchStream(seed, 3), [&](uint64_t, TpchStream& stream) {
    int64_t country = 10 + nation.next(0, 24), a = stream.next(100, 999), b = stream.next(100, 999),
            c = stream.next(1000, 9999);
    range.text(fmt::format("{}-{}-{}-{}", country, a, b, c));
  });
}

int64_t part_price(int64_t part) {  // in cents
  return 90000 + part / 10 % 20001 + part % 1000 * 100;
}

int64_t supplier_of(int64_t part, int64_t number, double scale) {
  auto suppliers = static_cast<int64_t>(10000 * scale);
  return (part + number * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1;
}

int64_t order_key(uint64_t unit) {  // only the first eight of each 32 keys are used
  uint64_t index = unit + 1;
  return static_cast<int64_t>(index >> 3 << 5 | (index & 7));
}

// ---- nation, region, supplier, customer ----

void nation_column(const Range& range, size_t column) {
  if (column == 3) return comments(range, 606179079, 72);
  for (uint64_t i = range.first; i < range.first + range.count; ++i) {
    if (column == 0) range.out->whole.push_back(static_cast<int64_t>(i));
    if (column == 1) range.text(kNations[i].name);
    if (column == 2) range.out->whole.push_back(kNations[i].region);
  }
}

void region_column(const Range& range, size_t column) {
  if (column == 2) return comments(range, 1500869201, 72);
  for (uint64_t i = range.first; i < range.first + range.count; ++i) {
    if (column == 0) range.out->whole.push_back(static_cast<int64_t>(i));
    if (column == 1) range.text(kRegions[i]);
  }
}

// Five suppliers in ten thousand have "Customer ... Complaints" in the comment, five
// "Customer ... Recommends".
void supplier_comments(const Range& range) {
  constexpr std::string_view kBase = "Customer ";
  TpchStream chosen(202794285, 1), junk(263032577, 1), offset(715851524, 1), kind(753643799, 1);
  for (auto* stream : {&chosen, &junk, &offset, &kind}) stream->start(range.first);
  range.each(TpchStream(1341315363, 2), [&](uint64_t, TpchStream& stream) {
    size_t begin = range.out->bytes.size();
    comment(stream, 63, range.out->bytes);
    if (chosen.next(1, 10000) <= 10) {
      auto length = static_cast<int64_t>(range.out->bytes.size() - begin);
      auto noise = static_cast<size_t>(junk.next(0, length - 19));
      auto at = static_cast<size_t>(offset.next(0, length - 19 - static_cast<int64_t>(noise)));
      std::string_view type = kind.next(0, 100) < 50 ? "Complaints" : "Recommends";
      range.out->bytes.replace(begin + at, kBase.size(), kBase);
      range.out->bytes.replace(begin + kBase.size() + at + noise, type.size(), type);
    }
    range.end();
    for (auto* one : {&chosen, &junk, &offset, &kind}) one->finish_unit();
  });
}

void supplier_column(const Range& range, size_t column) {
  switch (column) {
    case 0: return keys(range);
    case 1: return labels(range, "Supplier");
    case 2: return addresses(range, 706178559);
    case 3: return numbers(range, 110356601, 0, 24);
    case 4: return phones(range, 110356601, 884434366);
    case 5: return money(range, 962338209, -99999, 999999);
    default: return supplier_comments(range);
  }
}

void customer_column(const Range& range, size_t column) {
  switch (column) {
    case 0: return keys(range);
    case 1: return labels(range, "Customer");
    case 2: return addresses(range, 881155353);
    case 3: return numbers(range, 1489529863, 0, 24);
    case 4: return phones(range, 1489529863, 1521138112);
    case 5: return money(range, 298370230, -99999, 999999);
    case 6: return words(range, 1140279430, kSegments);
    default: return comments(range, 1335826707, 73);
  }
}

// ---- part, partsupp ----

void part_names(const Range& range) {
  const auto& colors = tpch_colors();
  std::vector<std::string_view> order;
  range.each(TpchStream(709314158, static_cast<uint32_t>(colors.size())),
             [&](uint64_t, TpchStream& stream) {
               order = colors;
               for (size_t i = 0; i < 5; ++i) {
                 auto other = stream.next(static_cast<int64_t>(i), std::ssize(order) - 1);
                 std::swap(order[i], order[static_cast<size_t>(other)]);
                 if (i > 0) range.out->bytes += ' ';
                 range.out->bytes += order[i];
               }
               range.end();
             });
}

void part_column(const Range& range, size_t column) {
  switch (column) {
    case 0: return keys(range);
    case 1: return part_names(range);
    case 2:
    case 3: {
      TpchStream maker(1, 1);
      maker.start(range.first);
      return range.each(TpchStream(46831694, 1), [&](uint64_t, TpchStream& stream) {
        int64_t made_by = maker.next(1, 5), brand = stream.next(1, 5);
        range.text(column == 2 ? fmt::format("Manufacturer#{}", made_by)
                               : fmt::format("Brand#{}", made_by * 10 + brand));
      });
    }
    case 4: return words(range, 1841581359, tpch_types());
    case 5: return numbers(range, 1193163244, 1, 50);
    case 6: return words(range, 727633698, tpch_containers());
    case 7:
      for (uint64_t i = 0; i < range.count; ++i)
        range.cents(part_price(static_cast<int64_t>(range.first + i + 1)));
      return;
    default: return comments(range, 804159733, 14);
  }
}

void partsupp_column(const Range& range, size_t column) {
  switch (column) {
    case 0:
    case 1:
      for (uint64_t i = 0; i < range.count; ++i) {
        auto part = static_cast<int64_t>(range.first + i + 1);
        for (int64_t n = 0; n < 4; ++n)
          range.out->whole.push_back(column == 0 ? part : supplier_of(part, n, range.scale));
      }
      return;
    case 2:
      return range.each(TpchStream(1671059989, 4), [&](uint64_t, TpchStream& stream) {
        for (int n = 0; n < 4; ++n) range.out->whole.push_back(stream.next(1, 9999));
      });
    case 3: return money(range, 1051288424, 100, 100000, 4);
    default: return comments(range, 1961692154, 124, 4);
  }
}

// ---- orders, lineitem ----

constexpr uint64_t kOrderDate = 1066728069, kLineCount = 1434868289, kQuantity = 209208115,
                   kDiscount = 554590007, kTax = 721958466, kPartKey = 1808217256,
                   kShipDate = 1769349045;

// Scale factors of 30,000 and more draw keys of 64 bits; they are not offered.
int64_t part_key(TpchStream& stream, const Range& range) {
  return stream.next(1, range.scaled(200000));
}

void order_totals(const Range& range, bool status) {
  TpchStream lines(kLineCount, 1), dates(kOrderDate, 1), quantity(kQuantity, 7),
      discount(kDiscount, 7), tax(kTax, 7), part(kPartKey, 7);
  std::array<TpchStream*, 6> others{&lines, &dates, &quantity, &discount, &tax, &part};
  for (auto* stream : others) stream->start(range.first);
  range.each(TpchStream(kShipDate, kLineMax), [&](uint64_t, TpchStream& ship) {
    int64_t count = lines.next(1, kLineMax), date = dates.next(kFirstDay, kLastOrderDay);
    int64_t total = 0, shipped = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (status) {
        shipped += date + ship.next(1, 121) <= kToday ? 1 : 0;
        continue;
      }
      int64_t price = quantity.next(1, 50) * part_price(part_key(part, range));
      int64_t discounted = price * (100 - discount.next(0, 10));
      total += discounted / 100 * (100 + tax.next(0, 8)) / 100;
    }
    if (status)
      range.text(shipped == count ? "F" : shipped > 0 ? "P" : "O");
    else
      range.cents(total);
    for (auto* stream : others) stream->finish_unit();
  });
}

void order_column(const Range& range, size_t column) {
  switch (column) {
    case 0:
      for (uint64_t i = 0; i < range.count; ++i)
        range.out->whole.push_back(order_key(range.first + i));
      return;
    case 1: {
      int64_t last = range.scaled(150000);
      return range.each(TpchStream(851767375, 1), [&](uint64_t, TpchStream& stream) {
        int64_t key = stream.next(1, last);
        // every third customer never ordered anything
        for (int64_t step = 1; key % 3 == 0; step = -step) key = std::min(key + step, last);
        range.out->whole.push_back(key);
      });
    }
    case 2: return order_totals(range, true);
    case 3: return order_totals(range, false);
    case 4: return numbers(range, kOrderDate, kFirstDay, kLastOrderDay);
    case 5: return words(range, 591449447, kPriorities);
    case 6: {
      int64_t clerks = std::max<int64_t>(range.scaled(1000), 1000);
      return range.each(TpchStream(1171034773, 1), [&](uint64_t, TpchStream& stream) {
        range.text(fmt::format("Clerk#{:09}", stream.next(1, clerks)));
      });
    }
    case 7: range.out->whole.assign(range.count, 0); return;
    default: return comments(range, 276090261, 49);
  }
}

// visit(unit, line, stream) for every line; every order has its own number of lines.
template <class Visit>
void each_line(const Range& range, uint64_t seed, Visit visit, uint32_t draws = 1) {
  TpchStream lines(kLineCount, 1);
  lines.start(range.first);
  range.each(TpchStream(seed, kLineMax * draws), [&](uint64_t unit, TpchStream& stream) {
    int64_t count = lines.next(1, kLineMax);
    for (int64_t line = 0; line < count; ++line) visit(unit, line, stream);
  });
}

// Days of each line: ordered, shipped, received.
template <class Visit, class Finish>
void each_shipment(const Range& range, Visit visit, Finish finish) {
  TpchStream dates(kOrderDate, 1), received(373135028, 7), lines(kLineCount, 1);
  for (auto* stream : {&dates, &received, &lines}) stream->start(range.first);
  range.each(TpchStream(kShipDate, kLineMax), [&](uint64_t, TpchStream& ship) {
    int64_t count = lines.next(1, kLineMax), date = dates.next(kFirstDay, kLastOrderDay);
    for (int64_t line = 0; line < count; ++line) {
      int64_t shipped = date + ship.next(1, 121);
      visit(date, shipped, shipped + received.next(1, 30));
    }
    received.finish_unit();
    finish();
  });
}

template <size_t N>
void line_words(const Range& range, uint64_t seed, const char* const (&list)[N]) {
  each_line(range, seed, [&](uint64_t, int64_t, TpchStream& stream) {
    range.text(list[static_cast<size_t>(stream.next(0, std::ssize(list) - 1))]);
  });
}

void line_money(const Range& range, uint64_t seed, int64_t high) {
  each_line(range, seed,
            [&](uint64_t, int64_t, TpchStream& stream) { range.cents(stream.next(0, high)); });
}

void line_keys(const Range& range, size_t column) {
  TpchStream supplier(2095021727, 7);
  supplier.start(range.first);
  uint64_t last = range.first;
  each_line(range, kPartKey, [&](uint64_t unit, int64_t, TpchStream& stream) {
    if (unit != last) supplier.finish_unit();
    last = unit;
    int64_t part = part_key(stream, range), number = supplier.next(0, 3);
    range.out->whole.push_back(column == 1 ? part : supplier_of(part, number, range.scale));
  });
}

void line_prices(const Range& range) {
  TpchStream quantity(kQuantity, 7);
  quantity.start(range.first);
  uint64_t last = range.first;
  each_line(range, kPartKey, [&](uint64_t unit, int64_t, TpchStream& stream) {
    if (unit != last) quantity.finish_unit();
    last = unit;
    range.cents(quantity.next(1, 50) * part_price(part_key(stream, range)));
  });
}

void line_days(const Range& range, size_t column) {
  auto& whole = range.out->whole;
  auto none = [] {};
  switch (column) {
    case 8: {
      TpchStream flags(717419739, 7);
      flags.start(range.first);
      return each_shipment(
          range,
          [&](int64_t, int64_t, int64_t received) {
            range.text(received <= kToday ? kFlags[flags.next(0, 1)] : "N");
          },
          [&] { flags.finish_unit(); });
    }
    case 9:
      return each_shipment(
          range,
          [&](int64_t, int64_t shipped, int64_t) { range.text(shipped <= kToday ? "F" : "O"); },
          none);
    case 10:
      return each_shipment(
          range, [&](int64_t, int64_t shipped, int64_t) { whole.push_back(shipped); }, none);
    case 11: {
      TpchStream committed(904914315, 7);
      committed.start(range.first);
      return each_shipment(
          range,
          [&](int64_t date, int64_t, int64_t) { whole.push_back(date + committed.next(30, 90)); },
          [&] { committed.finish_unit(); });
    }
    default:
      return each_shipment(
          range, [&](int64_t, int64_t, int64_t received) { whole.push_back(received); }, none);
  }
}

void lineitem_column(const Range& range, size_t column) {
  switch (column) {
    case 0:
      return each_line(range, kQuantity, [&](uint64_t unit, int64_t, TpchStream&) {
        range.out->whole.push_back(order_key(unit));
      });
    case 1:
    case 2: return line_keys(range, column);
    case 3:
      return each_line(range, kQuantity, [&](uint64_t, int64_t line, TpchStream&) {
        range.out->whole.push_back(line + 1);
      });
    case 4:
      return each_line(range, kQuantity, [&](uint64_t, int64_t, TpchStream& stream) {
        range.out->real.push_back(static_cast<double>(stream.next(1, 50)));
      });
    case 5: return line_prices(range);
    case 6: return line_money(range, kDiscount, 10);
    case 7: return line_money(range, kTax, 8);
    case 13: return line_words(range, 1371272478, kInstructions);
    case 14: return line_words(range, 675466456, kModes);
    case 15:
      return each_line(
          range, 1095462486,
          [&](uint64_t, int64_t, TpchStream& stream) {
            comment(stream, 27, range.out->bytes);
            range.end();
          },
          2);
    default: return line_days(range, column);
  }
}

using ColumnMaker = void (*)(const Range&, size_t);
constexpr ColumnMaker kMakers[] = {customer_column, lineitem_column, nation_column,
                                   order_column,    part_column,     partsupp_column,
                                   region_column,   supplier_column};

}  // namespace

uint64_t TpchGenerator::generate(uint64_t first, uint64_t count, const std::vector<size_t>& columns,
                                 std::vector<TpchValues>& values) const {
  CHECK(values.size() == columns.size());
  auto number = static_cast<size_t>(&table_ - tpch_tables().data());
  bool lines = table_.rows_max == kLineMax;
  uint64_t rows = count * table_.rows_max;
  if (lines) {
    rows = 0;
    TpchStream stream(kLineCount, 1);
    stream.start(first);
    for (uint64_t i = 0; i < count; ++i) rows += static_cast<uint64_t>(stream.next(1, kLineMax));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    values[i].whole.clear();
    values[i].real.clear();
    values[i].bytes.clear();
    values[i].ends.clear();
    Range range{first, count, scale_, &values[i]};
    // row_number is the unit's number; it starts at 0 where tables do not scale.
    if (columns[i] + 1 == table_.columns.size()) {
      auto put = [&](uint64_t unit) {
        values[i].whole.push_back(static_cast<int64_t>(unit + (table_.scales ? 1 : 0)));
      };
      if (lines) {
        each_line(range, kQuantity, [&](uint64_t unit, int64_t, TpchStream&) { put(unit); });
        continue;
      }
      for (uint64_t row = 0; row < rows; ++row) put(first + row / table_.rows_max);
      continue;
    }
    kMakers[number](range, columns[i]);
  }
  return rows;
}

}  // namespace aichemy::sql
