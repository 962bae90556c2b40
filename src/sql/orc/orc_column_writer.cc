#include "sql/orc/orc_column_writer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace aichemy::orc {
namespace {

constexpr int64_t k2015 = 1'420'070'400;  // seconds: timestamps count from there
constexpr int64_t kNanosPerMilli = 1'000'000, kMillis = 1000;
constexpr size_t kBoundBytesMax = 256;  // of a text kept in statistics

bool is_text(Kind kind) {
  return kind == Kind::string || kind == Kind::varchar || kind == Kind::char_;
}
bool is_integer(Kind kind) {
  return kind == Kind::byte || kind == Kind::short_ || kind == Kind::int_ || kind == Kind::long_;
}
bool has_lengths(Kind kind) { return kind == Kind::list || kind == Kind::map; }

std::string decimal_text(Int128 value, int scale) {
  bool negative = value < 0;
  auto left = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
  while ((left /= 10) > 0);
  auto places = static_cast<size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, ".");
  return negative ? "-" + digits : digits;
}

// Nanoseconds without their zeros at the end, of which the last three bits tell the number.
int64_t packed_nanos(int64_t nanos) {
  if (nanos == 0 || nanos % 100 != 0) return nanos << 3;
  int zeros = 0;
  while (nanos % 10 == 0 && zeros < 8) {
    nanos /= 10;
    ++zeros;
  }
  return nanos << 3 | (zeros - 1);
}

template <class T>
void widen(std::optional<T>& low, std::optional<T>& high, const T& value) {
  if (!low || value < *low) low = value;
  if (!high || *high < value) high = value;
}

template <class T>
void widen(std::optional<T>& low, std::optional<T>& high, const std::optional<T>& other_low,
           const std::optional<T>& other_high) {
  if (other_low) widen(low, high, *other_low);
  if (other_high) widen(low, high, *other_high);
}

}  // namespace

// ---- statistics ----

void ValueStatistics::add(int64_t value) {
  widen(low, high, value);
  add_sum(value);
}

void ValueStatistics::add_sum(int64_t value) {
  int64_t next = 0;
  sum_lost = sum_lost || __builtin_add_overflow(sum.value_or(0), value, &next);
  sum = next;
}

void ValueStatistics::add(double value) {
  if (std::isnan(value))
    unordered = true;
  else
    widen(least, most, value);
}

void ValueStatistics::add(std::string_view text, bool ordered) {
  add_sum(static_cast<int64_t>(text.size()));
  if (!ordered || long_texts) return;
  long_texts = text.size() > kBoundBytesMax;
  if (!first || text < *first) first = text;
  if (!last || *last < text) last = text;
}

void ValueStatistics::add_decimal(Int128 value) { widen(lowest, highest, value); }

void ValueStatistics::merge(const ValueStatistics& other) {
  values += other.values;
  has_null = has_null || other.has_null;
  unordered = unordered || other.unordered;
  long_texts = long_texts || other.long_texts;
  sum_lost = sum_lost || other.sum_lost;
  if (other.sum) add_sum(*other.sum);
  widen(low, high, other.low, other.high);
  widen(least, most, other.least, other.most);
  widen(first, last, other.first, other.last);
  widen(lowest, highest, other.lowest, other.highest);
}

std::string ValueStatistics::message(const TypeNode& type) const {
  MessageWriter out, own;
  out.number(1, values);
  if (is_integer(type.kind) && low) {
    own.zigzag(1, *low);
    own.zigzag(2, *high);
    if (!sum_lost) own.zigzag(3, sum.value_or(0));
    out.text(2, own.bytes());
  } else if ((type.kind == Kind::float_ || type.kind == Kind::double_) && least && !unordered) {
    own.real(1, *least);
    own.real(2, *most);
    out.text(3, own.bytes());
  } else if (is_text(type.kind) && first && !long_texts) {
    own.text(1, *first);
    own.text(2, *last);
    if (!sum_lost) own.zigzag(3, sum.value_or(0));
    out.text(4, own.bytes());
  } else if (type.kind == Kind::boolean && !sum_lost) {
    MessageWriter count;
    count.number(0, static_cast<uint64_t>(sum.value_or(0)));
    own.text(1, std::string_view(count.bytes()).substr(1));  // packed: without a key
    out.text(5, own.bytes());
  } else if (type.kind == Kind::decimal && lowest) {
    own.text(1, decimal_text(*lowest, type.scale));
    own.text(2, decimal_text(*highest, type.scale));
    out.text(6, own.bytes());
  } else if (type.kind == Kind::date && low) {
    own.zigzag(1, *low);
    own.zigzag(2, *high);
    out.text(7, own.bytes());
  } else if (type.kind == Kind::binary && !sum_lost) {
    own.zigzag(1, sum.value_or(0));
    out.text(8, own.bytes());
  } else if (type.kind == Kind::timestamp && low) {
    for (uint32_t field : {1U, 3U}) {  // local and UTC are the same
      own.zigzag(field, *low);
      own.zigzag(field + 1, *high);
    }
    out.text(9, own.bytes());
  }
  out.number(10, has_null ? 1 : 0);
  return out.bytes();
}

// ---- a column ----

ColumnWriter::ColumnWriter(const std::vector<TypeNode>& types, uint32_t index,
                           Compression compression)
    : type_(types[index]),
      index_(index),
      present_bytes_(compression),
      data_(compression),
      second_(compression),
      present_(present_bytes_),
      bits_(data_),
      bytes_(data_),
      ints_(has_lengths(type_.kind) || is_text(type_.kind) || type_.kind == Kind::binary ? second_
                                                                                         : data_,
            is_integer(type_.kind) || type_.kind == Kind::date || type_.kind == Kind::timestamp),
      second_ints_(second_, type_.kind == Kind::decimal) {
  for (uint32_t child : type_.children)
    children_.push_back(std::make_unique<ColumnWriter>(types, child, compression));
}

Status ColumnWriter::write(const Batch& batch, const uint8_t* parents) {
  for (size_t row = 0; row < batch.rows; ++row) {
    if (parents && parents[row]) continue;
    bool null = batch.is_null(row);
    present_.put(!null);
    any_null_ = any_null_ || null;
    stripe_.has_null = stripe_.has_null || null;
    if (null) continue;
    ++stripe_.values;
    if (type_.kind == Kind::timestamp)
      RETURN_IF_ERROR(write_time(batch, row));
    else
      write_value(batch, row);
  }
  // Of a struct: null where it is, or where its own parent is.
  std::vector<uint8_t> gone;
  const uint8_t* skipped = nullptr;
  if (type_.kind == Kind::struct_ && (parents || !batch.nulls.empty())) {
    gone.assign(batch.rows, 0);
    for (size_t row = 0; row < batch.rows; ++row)
      gone[row] = (parents && parents[row]) || batch.is_null(row);
    skipped = gone.data();
  }
  for (size_t i = 0; i < children_.size(); ++i)
    RETURN_IF_ERROR(children_[i]->write(batch.children[i], skipped));
  return {};
}

void ColumnWriter::write_value(const Batch& batch, size_t row) {
  switch (type_.kind) {
    case Kind::boolean:
      bits_.put(batch.ints[row] != 0);
      return stripe_.add_sum(batch.ints[row] != 0 ? 1 : 0);
    case Kind::byte: bytes_.put(static_cast<uint8_t>(batch.ints[row])); break;
    case Kind::float_:
    case Kind::double_: {
      char raw[8];
      double wide = batch.doubles[row];
      auto narrow = static_cast<float>(wide);
      bool single = type_.kind == Kind::float_;
      size_t size = single ? sizeof(narrow) : sizeof(wide);
      std::memcpy(raw, single ? static_cast<const void*>(&narrow) : &wide, size);
      data_.bytes({raw, size});
      return stripe_.add(wide);
    }
    case Kind::string:
    case Kind::varchar:
    case Kind::char_:
    case Kind::binary:
      data_.bytes(batch.texts[row]);
      ints_.put(static_cast<int64_t>(batch.texts[row].size()));
      return stripe_.add(batch.texts[row], type_.kind != Kind::binary);
    case Kind::decimal:
      data_.signed_varint(batch.decimals[row]);
      second_ints_.put(type_.scale);
      return stripe_.add_decimal(batch.decimals[row]);
    case Kind::struct_: return;
    case Kind::list:
    case Kind::map: return ints_.put(batch.ints[row]);
    default: ints_.put(batch.ints[row]); break;
  }
  stripe_.add(batch.ints[row]);
}

Status ColumnWriter::write_time(const Batch& batch, size_t row) {
  int64_t seconds = batch.ints[row], nanos = batch.nanos[row];
  stripe_.add(seconds * kMillis + nanos / kNanosPerMilli);
  // Readers take one off what lies before 1970 and has milliseconds (ORC-763); the last second
  // before it becomes 0, of which they cannot.
  if (seconds < 0 && nanos >= kNanosPerMilli && ++seconds == 0) {
    return fail(Code::unsupported, "orc",
                "ORC cannot hold timestamps with milliseconds in the last second before 1970");
  }
  ints_.put(seconds - k2015);
  second_ints_.put(packed_nanos(nanos));
  return {};
}

size_t ColumnWriter::size() const {
  size_t bytes = present_bytes_.size() + data_.size() + second_.size();
  for (const auto& child : children_) bytes += child->size();
  return bytes;
}

void ColumnWriter::flush_runs() {
  present_.flush();
  if (type_.kind == Kind::boolean) bits_.flush();
  if (type_.kind == Kind::byte) bytes_.flush();
  ints_.flush();
  second_ints_.flush();
}

Status ColumnWriter::take(std::vector<Written>& streams, std::vector<std::string>& statistics) {
  flush_runs();
  ASSIGN_OR_RETURN(std::string present, present_bytes_.take());
  ASSIGN_OR_RETURN(std::string data, data_.take());
  ASSIGN_OR_RETURN(std::string second, second_.take());
  bool times = type_.kind == Kind::timestamp || type_.kind == Kind::decimal;
  if (any_null_) streams.push_back({StreamKind::present, index_, std::move(present)});
  if (type_.kind != Kind::struct_ && !has_lengths(type_.kind))
    streams.push_back({StreamKind::data, index_, std::move(data)});
  if (times) streams.push_back({StreamKind::secondary, index_, std::move(second)});
  if (has_lengths(type_.kind) || is_text(type_.kind) || type_.kind == Kind::binary)
    streams.push_back({StreamKind::length, index_, std::move(second)});
  statistics.push_back(stripe_.message(type_));
  file_.merge(stripe_);
  stripe_ = {};
  any_null_ = false;
  for (auto& child : children_) RETURN_IF_ERROR(child->take(streams, statistics));
  return {};
}

void ColumnWriter::file_statistics(std::vector<std::string>& out) const {
  out.push_back(file_.message(type_));
  for (const auto& child : children_) child->file_statistics(out);
}

uint64_t ColumnWriter::encoding_of(const TypeNode& type) {
  constexpr uint64_t kDirect = 0, kDirectV2 = 2;
  switch (type.kind) {
    case Kind::boolean:
    case Kind::byte:
    case Kind::float_:
    case Kind::double_:
    case Kind::struct_: return kDirect;
    default: return kDirectV2;
  }
}

}  // namespace aichemy::orc
