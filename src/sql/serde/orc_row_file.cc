// Rows of the engine as ORC files.
#include <algorithm>
#include <mutex>

#include "sql/engine/duckdb_file_system.h"
#include "sql/orc/orc_writer.h"
#include "sql/serde/row_file.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using orc::Batch;
using orc::Kind;

constexpr int64_t kMicros = 1'000'000, kNanosPerMicro = 1000;

struct KindRow {
  TypeKind type;
  Kind kind;
};
constexpr KindRow kKinds[] = {
    {TypeKind::boolean, Kind::boolean},
    {TypeKind::tinyint, Kind::byte},
    {TypeKind::smallint, Kind::short_},
    {TypeKind::integer, Kind::int_},
    {TypeKind::bigint, Kind::long_},
    {TypeKind::real, Kind::float_},
    {TypeKind::double_, Kind::double_},
    {TypeKind::varchar, Kind::varchar},
    {TypeKind::char_, Kind::char_},
    {TypeKind::varbinary, Kind::binary},
    {TypeKind::decimal, Kind::decimal},
    {TypeKind::date, Kind::date},
    {TypeKind::timestamp, Kind::timestamp},
    {TypeKind::array, Kind::list},
    {TypeKind::map, Kind::map},
    {TypeKind::row, Kind::struct_},
};
struct CodecRow {
  const char* name;
  orc::Compression compression;
};
constexpr CodecRow kCodecs[] = {
    {"none", orc::Compression::none},     {"zlib", orc::Compression::zlib},
    {"snappy", orc::Compression::snappy}, {"lz4", orc::Compression::lz4},
    {"zstd", orc::Compression::zstd},
};

// Types of a file, in preorder.
struct FileTypes {
  std::vector<orc::TypeNode> nodes;
  std::vector<uint32_t> lengths;

  uint32_t add(const Type& type) {
    auto index = static_cast<uint32_t>(nodes.size());
    nodes.emplace_back();
    lengths.push_back(type.precision > 0 ? static_cast<uint32_t>(type.precision) : 0);
    orc::TypeNode node;
    node.kind = std::ranges::find(kKinds, type.kind, &KindRow::type)->kind;
    if (type.is(TypeKind::varchar) && type.precision == Type::kUnbounded) node.kind = Kind::string;
    if (type.is(TypeKind::decimal)) {
      node.precision = type.precision;
      node.scale = type.scale;
    }
    for (const Field& field : type.fields) {
      if (type.is(TypeKind::row)) node.names.push_back(field.name.value_or(""));
      node.children.push_back(add(field.type));
    }
    nodes[index] = std::move(node);
    return index;
  }
};

void fill(Batch& batch, const Type& type, duckdb::Vector& column, idx_t count);

template <class T>
void fill_ints(Batch& batch, duckdb::Vector& column, idx_t count) {
  const auto* values = FlatVector::GetData<T>(column);
  batch.ints.assign(values, values + count);
}
template <class T>
void fill_doubles(Batch& batch, duckdb::Vector& column, idx_t count) {
  const auto* values = FlatVector::GetData<T>(column);
  batch.doubles.assign(values, values + count);
}

void fill_decimals(Batch& batch, duckdb::Vector& column, idx_t count) {
  batch.decimals.resize(count);
  auto take = [&]<class T>(const T* values) {
    for (idx_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
        batch.decimals[i] = static_cast<orc::Int128>(
            static_cast<orc::Uint128>(static_cast<uint64_t>(values[i].upper)) << 64 |
            values[i].lower);
      } else {
        batch.decimals[i] = values[i];
      }
    }
  };
  switch (column.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16: return take(FlatVector::GetData<int16_t>(column));
    case duckdb::PhysicalType::INT32: return take(FlatVector::GetData<int32_t>(column));
    case duckdb::PhysicalType::INT64: return take(FlatVector::GetData<int64_t>(column));
    default: return take(FlatVector::GetData<duckdb::hugeint_t>(column));
  }
}

void fill_texts(Batch& batch, duckdb::Vector& column, idx_t count) {
  const auto* values = FlatVector::GetData<duckdb::string_t>(column);
  batch.texts.assign(count, {});
  for (idx_t i = 0; i < count; ++i) {
    if (!batch.is_null(i)) batch.texts[i] = {values[i].GetData(), values[i].GetSize()};
  }
}

void fill_times(Batch& batch, duckdb::Vector& column, idx_t count) {
  const auto* values = FlatVector::GetData<duckdb::timestamp_t>(column);
  batch.ints.assign(count, 0);
  batch.nanos.assign(count, 0);
  for (idx_t i = 0; i < count; ++i) {
    if (batch.is_null(i)) continue;
    if (!duckdb::Timestamp::IsFinite(values[i]))
      throw_error({Code::unsupported, "NOT_SUPPORTED", "ORC cannot hold infinite timestamps"});
    int64_t rest = (values[i].value % kMicros + kMicros) % kMicros;
    batch.ints[i] = (values[i].value - rest) / kMicros;
    batch.nanos[i] = rest * kNanosPerMicro;
  }
}

// Lengths, and the entries in the order of the rows.
void fill_entries(Batch& batch, const Type& type, duckdb::Vector& column, idx_t count) {
  const auto* entries = FlatVector::GetData<duckdb::list_entry_t>(column);
  batch.ints.assign(count, 0);
  idx_t total = 0;
  for (idx_t i = 0; i < count; ++i) {
    if (batch.is_null(i)) continue;
    batch.ints[i] = static_cast<int64_t>(entries[i].length);
    total += entries[i].length;
  }
  duckdb::SelectionVector places(std::max<idx_t>(1, total));
  idx_t next = 0;
  for (idx_t i = 0; i < count; ++i) {
    for (idx_t at = 0; !batch.is_null(i) && at < entries[i].length; ++at)
      places.set_index(next++, entries[i].offset + at);
  }
  batch.children.resize(type.fields.size());
  auto take = [&](size_t child, duckdb::Vector& of) {
    duckdb::Vector ordered(of, places, total);
    flatten_all(ordered, total);
    fill(batch.children[child], type.fields[child].type, ordered, total);
  };
  if (type.is(TypeKind::array)) return take(0, duckdb::ListVector::GetEntry(column));
  take(0, duckdb::MapVector::GetKeys(column));
  take(1, duckdb::MapVector::GetValues(column));
}

void fill(Batch& batch, const Type& type, duckdb::Vector& column, idx_t count) {
  batch = {};
  batch.rows = count;
  const auto& validity = FlatVector::Validity(column);
  if (!validity.AllValid()) {
    batch.nulls.resize(count);
    for (idx_t i = 0; i < count; ++i) batch.nulls[i] = !validity.RowIsValid(i);
  }
  switch (type.kind) {
    // As bytes: of a null row the byte may be anything.
    case TypeKind::boolean: return fill_ints<uint8_t>(batch, column, count);
    case TypeKind::tinyint: return fill_ints<int8_t>(batch, column, count);
    case TypeKind::smallint: return fill_ints<int16_t>(batch, column, count);
    case TypeKind::date:
    case TypeKind::integer: return fill_ints<int32_t>(batch, column, count);
    case TypeKind::bigint: return fill_ints<int64_t>(batch, column, count);
    case TypeKind::real: return fill_doubles<float>(batch, column, count);
    case TypeKind::double_: return fill_doubles<double>(batch, column, count);
    case TypeKind::decimal: return fill_decimals(batch, column, count);
    case TypeKind::timestamp: return fill_times(batch, column, count);
    case TypeKind::array:
    case TypeKind::map: return fill_entries(batch, type, column, count);
    case TypeKind::row: {
      auto& fields = duckdb::StructVector::GetEntries(column);
      batch.children.resize(fields.size());
      for (size_t i = 0; i < fields.size(); ++i)
        fill(batch.children[i], type.fields[i].type, *fields[i], count);
      return;
    }
    default: return fill_texts(batch, column, count);
  }
}

class OrcRowFile final : public RowFileWriter {
 public:
  OrcRowFile(const HiveFileFormat& format, FileSink sink) {
    std::vector<Field> fields;
    for (const auto& column : format.columns) {
      types_.push_back(column.type);
      fields.push_back({column.name, column.type});
    }
    FileTypes types;
    types.add(Type::row(std::move(fields)));
    orc::Writer::Options options;
    options.stripe_bytes = format.stripe_bytes;
    for (const CodecRow& row : kCodecs) {
      if (format.codec == row.name) options.compression = row.compression;
    }
    writer_ = std::make_unique<orc::Writer>(std::move(types.nodes), std::move(types.lengths),
                                            options, std::move(sink));
  }

  std::unique_ptr<Part> begin_part() override { return std::make_unique<OrcPart>(*this); }
  void finish() override { check(writer_->finish()); }

 private:
  struct OrcPart final : Part {
    explicit OrcPart(OrcRowFile& f) : file(f) {}
    OrcRowFile& file;

    void write(duckdb::DataChunk& rows) override {
      Batch root;
      root.rows = rows.size();
      root.children.resize(file.types_.size());
      for (size_t i = 0; i < file.types_.size(); ++i)
        fill(root.children[i], file.types_[i], rows.data[i], rows.size());
      std::lock_guard lock(file.mutex_);
      check(file.writer_->write(root));
    }
    void flush() override {}
  };

  std::vector<Type> types_;
  std::mutex mutex_;  // of the writer
  std::unique_ptr<orc::Writer> writer_;

  static void check(Status status) {
    if (status) return;
    if (status.error().is("orc") && status.error().code == Code::unsupported)
      status.error().what = "NOT_SUPPORTED";
    throw_error(status.error());
  }
};

}  // namespace

std::unique_ptr<RowFileWriter> write_orc(const HiveFileFormat& format, FileSink sink) {
  return std::make_unique<OrcRowFile>(format, std::move(sink));
}

}  // namespace aichemy::sql
