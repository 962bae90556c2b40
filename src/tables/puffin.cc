#include "tables/puffin.h"

#include "base/bytes.h"
#include "base/json.h"
#include "tables/avro_codec.h"

namespace aichemy::tables {

namespace {

constexpr std::string_view kMagic = "PFA1";
constexpr size_t kTailBytes = 12;  // payload size, flags, magic
constexpr uint32_t kFooterCompressed = 1;
constexpr uint64_t kBlobBytesMax = uint64_t{64} << 20;

std::unexpected<Error> broken(const std::string& why) {
  return fail(Code::corrupt, "puffin", "a Puffin file is broken: " + why);
}

std::map<std::string, std::string> texts(const Json& json) {
  std::map<std::string, std::string> made;
  for (const auto& [key, value] : json.as_object()) made[key] = value.as_string();
  return made;
}

Result<PuffinBlob> read_blob(const Json& json, size_t footer_at) {
  PuffinBlob blob;
  ASSIGN_OR_RETURN(blob.type, json.string_at("type"));
  ASSIGN_OR_RETURN(const Json* fields, json.array_at("fields"));
  for (const Json& field : fields->as_array())
    blob.fields.push_back(static_cast<int>(field.as_int()));
  ASSIGN_OR_RETURN(blob.snapshot_id, json.int_at("snapshot-id"));
  ASSIGN_OR_RETURN(blob.sequence_number, json.int_at("sequence-number"));
  ASSIGN_OR_RETURN(int64_t offset, json.int_at("offset"));
  ASSIGN_OR_RETURN(int64_t length, json.int_at("length"));
  auto from = static_cast<int64_t>(kMagic.size()), to = static_cast<int64_t>(footer_at);
  if (offset < from || length < 0 || offset > to || length > to - offset)
    return broken("a blob lies outside of its file's blobs");
  blob.offset = static_cast<uint64_t>(offset);
  blob.length = static_cast<uint64_t>(length);
  blob.compression = json["compression-codec"].as_string();
  blob.properties = texts(json["properties"]);
  return blob;
}

}  // namespace

Result<PuffinFile> decode_puffin(std::string_view file) {
  if (file.size() < 2 * kMagic.size() + kTailBytes) return broken("it is too short");
  if (!file.starts_with(kMagic) || !file.ends_with(kMagic))
    return broken("a magic number is missing");
  const char* tail = file.data() + file.size() - kTailBytes;
  size_t size = load_little<uint32_t>(tail);
  auto flags = load_little<uint32_t>(tail + 4);
  size_t room = file.size() - 2 * kMagic.size() - kTailBytes;
  if (size > room) return broken("its footer is longer than the file");
  if (flags == kFooterCompressed)
    return fail(Code::unsupported, "puffin", "compressed Puffin footers are not supported");
  if (flags != 0) return fail(Code::unsupported, "puffin", "the Puffin file has unknown flags");
  size_t footer_at = file.size() - kTailBytes - size - kMagic.size();
  if (file.substr(footer_at, kMagic.size()) != kMagic)
    return broken("its footer has no magic number");
  auto footer = Json::parse(file.substr(footer_at + kMagic.size(), size));
  if (!footer) return broken("its footer is not JSON: " + footer.error().message);
  PuffinFile made;
  auto blobs = footer->array_at("blobs");
  if (!blobs) return broken(blobs.error().message);
  for (const Json& item : (*blobs)->as_array()) {
    auto blob = read_blob(item, footer_at);
    if (!blob) return broken(blob.error().message);
    made.blobs.push_back(std::move(*blob));
  }
  made.properties = texts((*footer)["properties"]);
  return made;
}

Result<std::string> puffin_blob(std::string_view file, const PuffinBlob& blob) {
  if (blob.offset > file.size() || blob.length > file.size() - blob.offset)
    return broken("it ends before its blob does");
  std::string_view stored = file.substr(blob.offset, blob.length);
  if (blob.compression.empty()) return std::string(stored);
  if (blob.compression != "zstd") {
    return fail(Code::unsupported, "puffin",
                "the compression \"" + blob.compression + "\" of Puffin blobs is not supported");
  }
  std::string plain;
  if (auto done = avro_decompress(AvroCodec::zstandard, stored, kBlobBytesMax, &plain); !done)
    return broken("a blob's compression: " + done.error().message);
  return plain;
}

}  // namespace aichemy::tables
