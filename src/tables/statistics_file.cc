#include "tables/statistics_file.h"

#include <cmath>

#include "base/bytes.h"

namespace aichemy::tables {

namespace {

constexpr std::string_view kMagic = "PFA1";
constexpr char kSerialVersion = 3, kCompactFamily = 3;
constexpr uint16_t kSeedHash = 0x93cc;  // of the seed 9001
enum Flag : uint8_t { kReadOnly = 2, kEmpty = 4, kCompact = 8, kOrdered = 16, kSingle = 32 };

}  // namespace

double ThetaSketch::estimate() const {
  if (hashes.size() <= kThetaEntries) return static_cast<double>(hashes.size());
  return static_cast<double>(kThetaEntries) * 0x1p63 / static_cast<double>(hashes[kThetaEntries]);
}

std::string ThetaSketch::encode() const {
  bool estimating = hashes.size() > kThetaEntries;
  size_t count = std::min(hashes.size(), kThetaEntries);
  int longs = estimating ? 3 : count > 1 ? 2 : 1;
  int flags = kReadOnly | kCompact | kOrdered;
  if (count == 0) flags |= kEmpty;
  if (count == 1 && !estimating) flags |= kSingle;
  std::string made;
  for (int byte : {longs, int{kSerialVersion}, int{kCompactFamily}, 0, 0, flags})
    made.push_back(static_cast<char>(byte));
  append_little(made, kSeedHash);
  if (longs >= 2) {
    append_little(made, static_cast<uint32_t>(count));
    append_little(made, uint32_t{0});  // the sampling probability, of no use in this form
  }
  if (longs == 3) append_little(made, hashes[kThetaEntries]);
  for (size_t i = 0; i < count; ++i) append_little(made, hashes[i]);
  return made;
}

Result<double> theta_estimate(std::string_view sketch) {
  auto broken = [](const char* why) {
    return fail(Code::corrupt, "theta_sketch", std::string("a theta sketch is broken: ") + why);
  };
  if (sketch.size() < 8) return broken("it is too short");
  size_t longs = static_cast<uint8_t>(sketch[0]) & 0x3f;
  if (sketch[1] != kSerialVersion || sketch[2] != kCompactFamily)
    return fail(Code::unsupported, "theta_sketch", "this form of theta sketches is not supported");
  auto flags = static_cast<uint8_t>(sketch[5]);
  if ((flags & kEmpty) != 0) return 0;
  if (longs < 1 || longs > 3 || sketch.size() < longs * 8) return broken("its preamble is cut off");
  size_t count = longs == 1 ? 1 : load_little<uint32_t>(sketch.data() + 8);
  if ((sketch.size() - longs * 8) / 8 < count) return broken("it has fewer hashes than it says");
  if (longs < 3) return static_cast<double>(count);
  auto theta = load_little<int64_t>(sketch.data() + 16);
  if (theta <= 0) return broken("its bound is not positive");
  return static_cast<double>(count) * 0x1p63 / static_cast<double>(theta);
}

StatisticsFile encode_statistics(const std::vector<ThetaSketch>& sketches, int64_t snapshot_id,
                                 int64_t sequence_number) {
  StatisticsFile made;
  made.bytes = kMagic;
  made.blob_metadata = Json::array();
  Json blobs = Json::array();
  for (const ThetaSketch& sketch : sketches) {
    std::string blob = sketch.encode();
    Json known = Json::object();
    Json fields = Json::array();
    fields.push(sketch.field_id);
    known.set("type", kThetaBlob).set("snapshot-id", snapshot_id);
    known.set("sequence-number", sequence_number).set("fields", std::move(fields));
    Json properties = Json::object();
    properties.set("ndv", std::to_string(std::llround(sketch.estimate())));
    known.set("properties", std::move(properties));
    Json placed = known;
    placed.set("offset", static_cast<int64_t>(made.bytes.size()));
    placed.set("length", static_cast<int64_t>(blob.size()));
    made.blob_metadata.push(std::move(known));
    blobs.push(std::move(placed));
    made.bytes += blob;
  }
  Json properties = Json::object();
  properties.set("created-by", "AIchemy");
  Json footer = Json::object();
  footer.set("blobs", std::move(blobs)).set("properties", std::move(properties));
  std::string text = footer.dump();
  size_t before = made.bytes.size();
  made.bytes += kMagic;
  made.bytes += text;
  append_little(made.bytes, static_cast<uint32_t>(text.size()));
  append_little(made.bytes, uint32_t{0});
  made.bytes += kMagic;
  made.footer_size = static_cast<int64_t>(made.bytes.size() - before);
  return made;
}

}  // namespace aichemy::tables
