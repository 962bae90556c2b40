#include "tables/avro_file.h"

#include "tables/avro_codec.h"
#include "tables/avro_header.h"

namespace aichemy::tables {

namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kBlockBytes = 64 << 10;

std::unexpected<Error> broken(const AvroCursor& cursor, const std::string& why) {
  return fail(Code::corrupt, "avro",
              "Avro file: " + why + " before byte " + std::to_string(cursor.offset()));
}

Status read_metadata(AvroCursor* cursor, AvroHeader* header) {
  while (int64_t count = cursor->read_block_count()) {
    for (int64_t i = 0; i < count && !cursor->failed(); ++i) {
      std::string key(cursor->read_bytes());
      header->metadata[key] = cursor->read_bytes();
    }
    if (cursor->failed()) break;
  }
  if (cursor->failed()) return broken(*cursor, "the header is cut short");
  return {};
}

}  // namespace

std::string_view AvroFile::meta(std::string_view key) const {
  auto found = metadata.find(key);
  return found == metadata.end() ? std::string_view() : std::string_view(found->second);
}

Result<AvroHeader> read_avro_header(std::string_view prefix) {
  AvroCursor cursor(prefix);
  if (cursor.read_raw(kMagic.size()) != kMagic) return broken(cursor, "no Avro header");
  AvroHeader header;
  RETURN_IF_ERROR(read_metadata(&cursor, &header));
  header.sync = cursor.read_raw(kAvroSyncBytes);
  if (cursor.failed()) return broken(cursor, "the header is cut short");
  auto meta = [&](std::string_view key) {
    auto found = header.metadata.find(key);
    return found == header.metadata.end() ? std::string_view() : std::string_view(found->second);
  };
  auto schema_json = Json::parse(meta("avro.schema"));
  if (!schema_json) return broken(cursor, "the schema is not JSON");
  ASSIGN_OR_RETURN(header.schema, avro_schema_from_json(*schema_json));
  std::string_view codec = meta("avro.codec");
  ASSIGN_OR_RETURN(header.codec, avro_codec_from_name(codec.empty() ? "null" : codec));
  header.bytes = cursor.offset();
  return header;
}

Result<AvroFile> read_avro(std::string_view bytes, uint64_t bytes_max) {
  ASSIGN_OR_RETURN(AvroHeader header, read_avro_header(bytes));
  AvroCursor cursor(bytes);
  cursor.read_raw(header.bytes);
  AvroFile file;
  file.metadata = std::move(header.metadata);
  file.schema = std::move(header.schema);
  AvroCodec codec = header.codec;
  const std::string& sync = header.sync;
  while (!cursor.at_end()) {
    int64_t count = cursor.read_long();
    std::string_view block = cursor.read_bytes();
    std::string_view marker = cursor.read_raw(kAvroSyncBytes);
    if (cursor.failed() || count < 0) return broken(cursor, "a block is cut short");
    if (marker != sync) return broken(cursor, "a block has the wrong sync marker");
    RETURN_IF_ERROR(avro_decompress(codec, block, bytes_max, &file.records));
    file.record_count += static_cast<uint64_t>(count);
  }
  return file;
}

void AvroCursor::skip(const AvroNode& node) {
  switch (node.kind) {
    case AvroKind::null: return;
    case AvroKind::boolean: read_raw(1); return;
    case AvroKind::int_:
    case AvroKind::long_:
    case AvroKind::enum_: read_long(); return;
    case AvroKind::float_: read_raw(4); return;
    case AvroKind::double_: read_raw(8); return;
    case AvroKind::bytes:
    case AvroKind::string: read_bytes(); return;
    case AvroKind::fixed: read_raw(node.fixed_size); return;
    case AvroKind::record:
      for (const AvroNode& field : node.children) skip(field);
      return;
    case AvroKind::union_:
      if (const AvroNode* branch = enter(node)) skip(*branch);
      return;
    case AvroKind::array:
    case AvroKind::map:
      while (int64_t count = read_long()) {
        if (count < 0) {
          int64_t size = read_long();
          read_raw(size < 0 ? UINT64_MAX : static_cast<uint64_t>(size));
          continue;
        }
        for (int64_t i = 0; i < count && !failed_; ++i) {
          size_t before = offset();
          if (node.kind == AvroKind::map) read_bytes();
          skip(node.children[0]);
          if (offset() == before) {
            stop();  // items without bytes: the count alone could keep us for ever
            return;
          }
        }
      }
      return;
  }
}

AvroWriter::AvroWriter(const std::map<std::string, std::string>& metadata, const Json& schema,
                       AvroCodec codec, std::string_view sync)
    : codec_(codec), sync_(sync) {
  file_.put_raw(kMagic);
  file_.put_long(static_cast<int64_t>(metadata.size()) + 2);
  file_.put_bytes("avro.schema");
  file_.put_bytes(schema.dump());
  file_.put_bytes("avro.codec");
  file_.put_bytes(avro_codec_name(codec));
  for (const auto& [key, value] : metadata) {
    file_.put_bytes(key);
    file_.put_bytes(value);
  }
  file_.put_long(0);
  file_.put_raw(sync_);
}

Status AvroWriter::end_record() {
  ++block_records_;
  return block_.size() >= kBlockBytes ? flush() : Status();
}

Status AvroWriter::flush() {
  if (block_records_ == 0) return {};
  ASSIGN_OR_RETURN(std::string packed, avro_compress(codec_, block_.view()));
  file_.put_long(block_records_);
  file_.put_bytes(packed);
  file_.put_raw(sync_);
  block_.clear();
  block_records_ = 0;
  return {};
}

Result<std::string> AvroWriter::finish() {
  RETURN_IF_ERROR(flush());
  return file_.take();
}

}  // namespace aichemy::tables
