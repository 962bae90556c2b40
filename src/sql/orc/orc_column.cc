#include "sql/orc/orc_column.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace aichemy::orc {
namespace {

constexpr uint64_t kBatchBytesMax = 1 << 30;  // text of a batch, or of a dictionary
constexpr uint64_t kEntriesMax = 1 << 24;     // of the lists or maps of a batch
constexpr uint64_t kDictionaryMax = 1 << 26;  // entries
constexpr size_t kStep = 4096;
constexpr int64_t kNanos = 1'000'000'000;

// `count` values in front of the vector go to the rows that are not null.
template <class T>
void spread(std::vector<T>& values, size_t count, size_t rows, const std::vector<uint8_t>& nulls) {
  if (count == rows) return;
  for (size_t i = rows; i-- > 0;) values[i] = nulls[i] ? T{} : values[--count];
}

Int128 power_of_ten(int exponent) {
  Int128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

}  // namespace

ColumnReader::ColumnReader(const Selection& selection, const Context& context)
    : type_(context.types[selection.type]) {
  if (context.has_nulls(selection.type)) {
    present_ = std::make_unique<BitRuns>(context.streams(selection.type, StreamKind::present));
  }
  open(selection, context);
  children_.reserve(selection.children.size());
  for (const Selection& child : selection.children) children_.emplace_back(child, context);
}

void ColumnReader::open(const Selection& selection, const Context& context) {
  ColumnEncoding encoding = context.encodings[selection.type];
  bool v2 =
      encoding.encoding == Encoding::direct_v2 || encoding.encoding == Encoding::dictionary_v2;
  has_dictionary_ =
      encoding.encoding == Encoding::dictionary || encoding.encoding == Encoding::dictionary_v2;
  auto stream = [&](StreamKind kind) { return context.streams(selection.type, kind); };
  auto ints = [&](StreamKind kind, bool is_signed) {
    return std::make_unique<IntRuns>(stream(kind), is_signed, v2);
  };
  switch (type_.kind) {
    case Kind::boolean: bits_ = std::make_unique<BitRuns>(stream(StreamKind::data)); break;
    case Kind::byte: bytes_ = std::make_unique<ByteRuns>(stream(StreamKind::data)); break;
    case Kind::short_:
    case Kind::int_:
    case Kind::long_:
    case Kind::date: ints_ = ints(StreamKind::data, true); break;
    case Kind::float_:
    case Kind::double_: data_ = stream(StreamKind::data); break;
    case Kind::string:
    case Kind::binary:
    case Kind::varchar:
    case Kind::char_:
      if (has_dictionary_) {
        dictionary_size_ = encoding.dictionary_size;
        ints_ = ints(StreamKind::data, false);
        second_ = ints(StreamKind::length, false);
        data_ = stream(StreamKind::dictionary);
        if (dictionary_size_ > std::min(context.stripe_rows, kDictionaryMax))
          data_->fail("a dictionary has more entries than the stripe rows");
      } else {
        ints_ = ints(StreamKind::length, false);
        data_ = stream(StreamKind::data);
      }
      break;
    case Kind::timestamp:
    case Kind::timestamp_instant:
      ints_ = ints(StreamKind::data, true);
      second_ = ints(StreamKind::secondary, false);
      break;
    case Kind::decimal:
      data_ = stream(StreamKind::data);
      second_ = ints(StreamKind::secondary, true);
      break;
    case Kind::list:
    case Kind::map: ints_ = ints(StreamKind::length, false); break;
    case Kind::struct_:
    case Kind::union_: break;
  }
}

// How many rows are not null.
size_t ColumnReader::read_nulls(size_t rows, const uint8_t* parents, Batch& out) {
  out.rows = rows;
  out.nulls.clear();
  if (!present_ && !parents) return rows;
  out.nulls.resize(rows);
  size_t count = 0;
  for (size_t i = 0; i < rows; ++i) {
    bool null = parents && parents[i];
    if (!null && present_) null = !present_->next();
    out.nulls[i] = null;
    count += !null;
  }
  if (count == rows) out.nulls.clear();
  return count;
}

void ColumnReader::read(size_t rows, const uint8_t* parents, Batch& out) {
  size_t count = read_nulls(rows, parents, out);
  read_values(count, rows, out);
  if (type_.kind != Kind::struct_) return;
  out.children.resize(children_.size());
  const uint8_t* nulls = out.nulls.empty() ? nullptr : out.nulls.data();
  for (size_t i = 0; i < children_.size(); ++i) children_[i].read(rows, nulls, out.children[i]);
}

void ColumnReader::read_values(size_t count, size_t rows, Batch& out) {
  switch (type_.kind) {
    case Kind::boolean:
    case Kind::byte:
      out.ints.resize(rows);
      for (size_t i = 0; i < count; ++i)
        out.ints[i] = bits_ ? bits_->next() : static_cast<int8_t>(bytes_->next());
      spread(out.ints, count, rows, out.nulls);
      break;
    case Kind::short_:
    case Kind::int_:
    case Kind::long_:
    case Kind::date:
    case Kind::list:
    case Kind::map:
      out.ints.resize(rows);
      ints_->read(out.ints.data(), count);
      spread(out.ints, count, rows, out.nulls);
      if (type_.kind == Kind::list || type_.kind == Kind::map) read_entries(out);
      break;
    case Kind::float_:
      out.doubles.resize(rows);
      for (size_t i = 0; i < count; ++i) {
        char raw[4];
        data_->read(raw, sizeof raw);
        out.doubles[i] = load_little<float>(raw);
      }
      spread(out.doubles, count, rows, out.nulls);
      break;
    case Kind::double_:
      out.doubles.resize(rows);
      data_->read(reinterpret_cast<char*>(out.doubles.data()), count * sizeof(double));
      spread(out.doubles, count, rows, out.nulls);
      break;
    case Kind::string:
    case Kind::binary:
    case Kind::varchar:
    case Kind::char_:
      out.texts.resize(rows);
      read_texts(count, out);
      spread(out.texts, count, rows, out.nulls);
      break;
    case Kind::timestamp:
    case Kind::timestamp_instant: read_timestamps(count, rows, out); break;
    case Kind::decimal:
      out.decimals.resize(rows);
      read_decimals(count, out);
      spread(out.decimals, count, rows, out.nulls);
      break;
    case Kind::struct_:
    case Kind::union_: break;
  }
}

// Bytes of a direct column lie one after the other.
void ColumnReader::read_texts(size_t count, Batch& out) {
  out.ints.resize(count);
  ints_->read(out.ints.data(), count);
  if (has_dictionary_) {
    if (!dictionary_read_ && count > 0) read_dictionary();
    for (size_t i = 0; i < count; ++i) {
      auto index = static_cast<uint64_t>(out.ints[i]);
      if (index >= dictionary_.size()) return data_->fail("an index outside its dictionary");
      out.texts[i] = dictionary_[index];
    }
    return;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    auto length = static_cast<uint64_t>(out.ints[i]);
    if (length > kBatchBytesMax - total) return data_->fail("texts are too long");
    total += length;
  }
  out.bytes.clear();
  data_->append(out.bytes, total);
  if (data_->failed()) return;
  std::string_view rest = out.bytes;
  for (size_t i = 0; i < count; ++i) {
    out.texts[i] = rest.substr(0, static_cast<size_t>(out.ints[i]));
    rest.remove_prefix(out.texts[i].size());
  }
}

void ColumnReader::read_dictionary() {
  dictionary_read_ = true;
  data_->append_rest(dictionary_bytes_, kBatchBytesMax);
  std::string_view rest = dictionary_bytes_;
  int64_t lengths[kStep];
  for (uint64_t done = 0; done < dictionary_size_ && !data_->failed();) {
    size_t step = std::min<uint64_t>(kStep, dictionary_size_ - done);
    second_->read(lengths, step);
    for (size_t i = 0; i < step && !data_->failed(); ++i) {
      auto length = static_cast<uint64_t>(lengths[i]);
      if (length > rest.size()) return data_->fail("a dictionary is shorter than its entries");
      dictionary_.push_back(rest.substr(0, length));
      rest.remove_prefix(length);
    }
    done += step;
  }
}

void ColumnReader::read_decimals(size_t count, Batch& out) {
  static const Int128 kTooLarge = power_of_ten(38);
  for (size_t i = 0; i < count && !data_->failed(); ++i) {
    Int128 value = data_->signed_varint();
    int64_t scale = second_->next();
    int64_t missing = type_.scale - scale;
    if (missing < -38 || missing > 38) return data_->fail("a decimal's scale is out of range");
    bool fits = value < kTooLarge && value > -kTooLarge;
    if (fits && missing > 0) {
      Int128 factor = power_of_ten(static_cast<int>(missing));
      fits = value < kTooLarge / factor && value > -kTooLarge / factor;
      if (fits) value *= factor;
    } else if (fits && missing < 0) {
      Int128 factor = power_of_ten(static_cast<int>(-missing));
      value = (value + (value < 0 ? -factor / 2 : factor / 2)) / factor;
    }
    if (!fits) return data_->fail("a decimal is out of range");
    out.decimals[i] = value;
  }
}

void ColumnReader::read_timestamps(size_t count, size_t rows, Batch& out) {
  out.ints.resize(rows);
  out.nanos.resize(rows);
  ints_->read(out.ints.data(), count);
  second_->read(out.nanos.data(), count);
  for (size_t i = 0; i < count; ++i) {
    // Zeros at the end are left out: the last three bits say how many, less one.
    auto zeros = static_cast<int>(out.nanos[i] & 7);
    auto nanos = static_cast<uint64_t>(out.nanos[i]) >> 3;
    for (int k = 0; zeros > 0 && k <= zeros && nanos < kNanos; ++k) nanos *= 10;
    if (nanos >= kNanos) return second_->fail("nanoseconds are out of range");
    out.nanos[i] = static_cast<int64_t>(nanos);
  }
  spread(out.ints, count, rows, out.nulls);
  spread(out.nanos, count, rows, out.nulls);
}

void ColumnReader::read_entries(Batch& out) {
  uint64_t total = 0;
  for (int64_t entries : out.ints) {
    if (static_cast<uint64_t>(entries) > kEntriesMax - total)
      return ints_->fail("lists of a batch are too long");
    total += static_cast<uint64_t>(entries);
  }
  if (ints_->failed()) return;
  out.children.resize(children_.size());
  for (size_t i = 0; i < children_.size(); ++i) children_[i].read(total, nullptr, out.children[i]);
}

}  // namespace aichemy::orc
