// Rows of the engine as Avro object container files (Avro specification, "Object Container
// Files"), with the schema that the table's columns, or its avro.schema.literal, say.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/serde/file_rows.h"
#include "sql/serde/row_file.h"
#include "tables/avro_codec.h"
#include "tables/avro_file.h"
#include "tables/avro_header.h"
#include "tables/avro_schema.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using tables::AvroBuffer;
using tables::AvroKind;
using tables::AvroNode;

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kBlockBytes = 64 << 10;
constexpr int64_t kMicrosPerMilli = 1000;

[[noreturn]] void refuse(const std::string& message) {
  throw_error({Code::unsupported, "NOT_SUPPORTED", message});
}

bool is_logical(const AvroNode& node, tables::TypeKind kind) { return node.type.kind == kind; }
bool is_millis(const AvroNode& node) {
  return node.kind == AvroKind::long_ && node.fixed_size == 1000;
}

bool is_plain_long(const AvroNode& node) {
  return node.kind == AvroKind::long_ && is_logical(node, tables::TypeKind::int64) &&
         !is_millis(node);
}

// Whether every value of the type has a form in the node, which is no union.
bool holds(const AvroNode& node, const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean: return node.kind == AvroKind::boolean;
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
      return (node.kind == AvroKind::int_ && !is_logical(node, tables::TypeKind::date)) ||
             is_plain_long(node);
    case TypeKind::bigint: return is_plain_long(node);
    case TypeKind::real: return node.kind == AvroKind::float_ || node.kind == AvroKind::double_;
    case TypeKind::double_: return node.kind == AvroKind::double_;
    case TypeKind::date:
      return node.kind == AvroKind::int_ && is_logical(node, tables::TypeKind::date);
    case TypeKind::timestamp:
      return is_millis(node) || is_logical(node, tables::TypeKind::timestamp);
    case TypeKind::decimal:
      return node.kind == AvroKind::bytes && is_logical(node, tables::TypeKind::decimal) &&
             node.type.scale == type.scale && node.type.precision >= type.precision;
    case TypeKind::varchar:
    case TypeKind::char_: return node.kind == AvroKind::string;
    case TypeKind::varbinary:
      return node.kind == AvroKind::bytes && !is_logical(node, tables::TypeKind::decimal);
    case TypeKind::array: return node.kind == AvroKind::array;
    case TypeKind::map: return node.kind == AvroKind::map && type.key().is_text();
    case TypeKind::row: return node.kind == AvroKind::record;
    default: return false;
  }
}

// How values of a type become those of a node.
class AvroEncoder {
 public:
  // Throws NOT_SUPPORTED when there are values that the node has no form for.
  AvroEncoder(const AvroNode& node, const Type& type, const std::string& name) : type_(type) {
    node_ = &node;
    if (node.kind == AvroKind::union_) {
      for (size_t i = 0; i < node.children.size(); ++i) {
        const AvroNode& branch = node.children[i];
        if (branch.kind == AvroKind::null) {
          null_ = static_cast<int64_t>(i);
        } else if (branch_ < 0 && holds(branch, type)) {
          branch_ = static_cast<int64_t>(i);
          node_ = &branch;
        }
      }
    }
    if (!holds(*node_, type)) {
      refuse(fmt::format("Column {} of type {} cannot be written with the table's Avro schema",
                         name, type.display()));
    }
    name_ = name;
    if (type.is(TypeKind::array)) children_.emplace_back(node_->children[0], type.element(), name);
    if (type.is(TypeKind::map)) children_.emplace_back(node_->children[0], type.value(), name);
    if (type.is(TypeKind::row)) plan_fields();
  }

  void put(AvroBuffer& out, duckdb::Vector& column, idx_t row) const {
    if (FlatVector::IsNull(column, row)) {
      if (null_ < 0) refuse(fmt::format("The Avro schema has no null for column {}", name_));
      return out.put_long(null_);
    }
    if (branch_ >= 0) out.put_long(branch_);
    put_value(out, column, row);
  }

 private:
  Type type_;
  std::string name_;
  const AvroNode* node_ = nullptr;
  int64_t null_ = -1, branch_ = -1;  // of the union
  std::vector<AvroEncoder> children_;
  // Of a record, one a field of the schema: the encoder and field, or the branch that is null.
  struct FieldPlan {
    size_t field = SIZE_MAX;  // of the row; none: null
    size_t child = 0;
    int64_t null = -1;
  };
  std::vector<FieldPlan> fields_;

  void plan_fields() {
    size_t found = 0;
    for (const AvroNode& field : node_->children) {
      FieldPlan plan;
      for (size_t i = 0; i < type_.fields.size() && plan.field == SIZE_MAX; ++i) {
        if (same_name(type_.fields[i].name.value_or(""), field.name)) plan.field = i;
      }
      if (plan.field != SIZE_MAX) {
        ++found;
        plan.child = children_.size();
        children_.emplace_back(field, type_.fields[plan.field].type, field.name);
      } else {
        plan.null = null_branch(field);
      }
      fields_.push_back(plan);
    }
    if (found != type_.fields.size())
      refuse(fmt::format("The table's Avro schema does not have all fields of {}", name_));
  }

  static int64_t null_branch(const AvroNode& field) {
    for (size_t i = 0; field.kind == AvroKind::union_ && i < field.children.size(); ++i) {
      if (field.children[i].kind == AvroKind::null) return static_cast<int64_t>(i);
    }
    refuse(fmt::format("Field {} of the table's Avro schema is no column and cannot be null",
                       field.name));
  }

  template <class T>
  static T at(duckdb::Vector& column, idx_t row) {
    return FlatVector::GetData<T>(column)[row];
  }
  static std::string_view text_at(duckdb::Vector& column, idx_t row) {
    const auto& text = FlatVector::GetData<duckdb::string_t>(column)[row];
    return {text.GetData(), text.GetSize()};
  }

  template <class T>
  static void put_little(AvroBuffer& out, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out.put_raw({raw, sizeof(T)});
  }

  void put_real(AvroBuffer& out, double value) const {
    if (node_->kind == AvroKind::float_)
      put_little(out, static_cast<float>(value));
    else
      put_little(out, value);
  }

  void put_value(AvroBuffer& out, duckdb::Vector& column, idx_t row) const {
    switch (type_.kind) {
      case TypeKind::boolean: return out.put_bool(at<bool>(column, row));
      case TypeKind::tinyint: return out.put_long(at<int8_t>(column, row));
      case TypeKind::smallint: return out.put_long(at<int16_t>(column, row));
      case TypeKind::date:
      case TypeKind::integer: return out.put_long(at<int32_t>(column, row));
      case TypeKind::bigint: return out.put_long(at<int64_t>(column, row));
      case TypeKind::real: return put_real(out, at<float>(column, row));
      case TypeKind::double_: return put_real(out, at<double>(column, row));
      case TypeKind::timestamp: return put_time(out, at<duckdb::timestamp_t>(column, row));
      case TypeKind::decimal: return put_decimal(out, column, row);
      case TypeKind::array: {
        auto entry = at<duckdb::list_entry_t>(column, row);
        return put_entries(out, nullptr, duckdb::ListVector::GetEntry(column), entry);
      }
      case TypeKind::map: {
        auto entry = at<duckdb::list_entry_t>(column, row);
        return put_entries(out, &duckdb::MapVector::GetKeys(column),
                           duckdb::MapVector::GetValues(column), entry);
      }
      case TypeKind::row: {
        auto& fields = duckdb::StructVector::GetEntries(column);
        for (const FieldPlan& plan : fields_) {
          if (plan.field == SIZE_MAX)
            out.put_long(plan.null);
          else
            children_[plan.child].put(out, *fields[plan.field], row);
        }
        return;
      }
      default: return out.put_bytes(text_at(column, row));
    }
  }

  void put_time(AvroBuffer& out, duckdb::timestamp_t at) const {
    if (!duckdb::Timestamp::IsFinite(at)) refuse("Avro cannot hold infinite timestamps");
    if (!is_millis(*node_)) return out.put_long(at.value);
    int64_t rest = (at.value % kMicrosPerMilli + kMicrosPerMilli) % kMicrosPerMilli;
    out.put_long((at.value - rest) / kMicrosPerMilli);
  }

  // The unscaled value, big-endian, in as few bytes as hold its sign.
  void put_decimal(AvroBuffer& out, duckdb::Vector& column, idx_t row) const {
    tables::Int128 value = 0;
    switch (column.GetType().InternalType()) {
      case duckdb::PhysicalType::INT16: value = at<int16_t>(column, row); break;
      case duckdb::PhysicalType::INT32: value = at<int32_t>(column, row); break;
      case duckdb::PhysicalType::INT64: value = at<int64_t>(column, row); break;
      default: {
        auto huge = at<duckdb::hugeint_t>(column, row);
        value = static_cast<tables::Int128>(huge.upper) * (tables::Int128{1} << 64) + huge.lower;
      }
    }
    std::string bytes;
    do {
      bytes.insert(bytes.begin(), static_cast<char>(value));
      value >>= 8;
    } while (value != (bytes[0] < 0 ? -1 : 0));
    out.put_bytes(bytes);
  }

  void put_entries(AvroBuffer& out, duckdb::Vector* keys, duckdb::Vector& values,
                   duckdb::list_entry_t entry) const {
    if (entry.length > 0) out.put_long(static_cast<int64_t>(entry.length));
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (keys) out.put_bytes(text_at(*keys, i));
      children_[0].put(out, values, i);
    }
    out.put_long(0);
  }
};

class AvroRowFile final : public RowFileWriter {
 public:
  AvroRowFile(const HiveFileFormat& format, std::string sync, FileSink sink)
      : sync_(std::move(sync)), sink_(std::move(sink)) {
    codec_ = check(tables::avro_codec_from_name(format.codec));
    auto json = Json::parse(format.avro_schema);
    auto schema = json ? tables::avro_schema_from_json(*json)
                       : Result<AvroNode>(std::unexpected(json.error()));
    if (!schema || schema->kind != AvroKind::record) {
      throw_error({Code::corrupt, "HIVE_INVALID_METADATA",
                   "the table property avro.schema.literal is no schema of a record"});
    }
    schema_ = std::move(*schema);
    std::vector<Field> fields;
    for (const auto& column : format.columns) fields.push_back({column.name, column.type});
    row_ = Type::row(std::move(fields));
    encoder_ = std::make_unique<AvroEncoder>(schema_, row_, "the table");
    put_header(json->dump());
  }

  std::unique_ptr<Part> begin_part() override { return std::make_unique<AvroPart>(*this); }
  void finish() override {}

 private:
  std::string sync_;
  FileSink sink_;
  tables::AvroCodec codec_ = tables::AvroCodec::null;
  AvroNode schema_;
  Type row_;
  std::unique_ptr<AvroEncoder> encoder_;
  std::mutex mutex_;  // of the sink

  // Blocks of a thread's rows.
  struct AvroPart final : Part {
    explicit AvroPart(AvroRowFile& f) : file(f) {}
    AvroRowFile& file;
    AvroBuffer block;
    int64_t count = 0;

    void write(duckdb::DataChunk& rows) override {
      // The columns as one row, whose fields they are.
      duckdb::child_list_t<duckdb::LogicalType> types;
      for (idx_t i = 0; i < rows.ColumnCount(); ++i)
        types.emplace_back(file.row_.fields[i].name.value_or(""), rows.data[i].GetType());
      duckdb::Vector whole(duckdb::LogicalType::STRUCT(std::move(types)), rows.size());
      auto& entries = duckdb::StructVector::GetEntries(whole);
      for (idx_t i = 0; i < rows.ColumnCount(); ++i) entries[i]->Reference(rows.data[i]);
      for (idx_t row = 0; row < rows.size(); ++row) {
        file.encoder_->put(block, whole, row);
        ++count;
        if (block.size() >= kBlockBytes) flush();
      }
    }
    void flush() override {
      if (count == 0) return;
      AvroBuffer out;
      out.put_long(count);
      out.put_bytes(check(tables::avro_compress(file.codec_, block.view())));
      out.put_raw(file.sync_);
      block.clear();
      count = 0;
      std::lock_guard lock(file.mutex_);
      file.put(out);
    }
  };

  template <class T>
  static T check(Result<T> result) {
    if (!result) throw_error(result.error());
    return std::move(*result);
  }
  void put(const AvroBuffer& bytes) {
    if (Status done = sink_(bytes.view()); !done) throw_error(done.error());
  }

  void put_header(const std::string& schema) {
    AvroBuffer out;
    out.put_raw(kMagic);
    out.put_long(2);
    out.put_bytes("avro.schema");
    out.put_bytes(schema);
    out.put_bytes("avro.codec");
    out.put_bytes(tables::avro_codec_name(codec_));
    out.put_long(0);
    out.put_raw(sync_);
    put(out);
  }
};

}  // namespace

std::unique_ptr<RowFileWriter> write_avro(const HiveFileFormat& format, const std::string& sync,
                                          FileSink sink) {
  return std::make_unique<AvroRowFile>(format, sync, std::move(sink));
}

}  // namespace aichemy::sql
