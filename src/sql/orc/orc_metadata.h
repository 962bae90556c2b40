// What the tail of an ORC file and the footers of its stripes say (orc_proto.proto of the
// specification), checked: types are a tree in preorder, stripes lie inside the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/orc/orc_stream.h"

namespace aichemy::orc {

enum class Kind : uint8_t {
  boolean,
  byte,
  short_,
  int_,
  long_,
  float_,
  double_,
  string,
  binary,
  timestamp,
  list,
  map,
  struct_,
  union_,
  decimal,
  date,
  varchar,
  char_,
  timestamp_instant,
};
const char* kind_name(Kind kind);  // as the specification writes it

struct TypeNode {
  Kind kind = Kind::struct_;
  std::vector<uint32_t> children;      // indexes of types
  std::vector<std::string> names;      // struct: one a child
  int32_t precision = 38, scale = 18;  // decimal: those of Hive 0.11, when nothing is said
};

struct Stripe {
  uint64_t offset = 0, index_bytes = 0, data_bytes = 0, footer_bytes = 0, rows = 0;
};

// Of a column in a stripe. Integers and days; text. None: not known.
struct ColumnStatistics {
  std::optional<uint64_t> values;  // that are not null
  bool has_null = true;
  std::optional<int64_t> low, high;
  std::optional<std::string> first, last;
};

struct Tail {
  Compression compression = Compression::none;
  uint64_t block_bytes = 0;
  std::vector<TypeNode> types;
  std::vector<Stripe> stripes;
  std::vector<std::vector<ColumnStatistics>> statistics;  // by stripe and column, or none at all
};

struct PostScript {
  uint64_t footer_bytes = 0, metadata_bytes = 0, block_bytes = 256 << 10;
  Compression compression = Compression::none;
};

enum class StreamKind : uint8_t {
  present = 0,
  data = 1,
  length = 2,
  dictionary = 3,
  secondary = 5
};

struct StreamPlace {
  uint64_t kind = 0, column = 0;
  uint64_t offset = 0, bytes = 0;  // in the file
};
enum class Encoding : uint8_t { direct, dictionary, direct_v2, dictionary_v2 };
struct ColumnEncoding {
  Encoding encoding = Encoding::direct;
  uint64_t dictionary_size = 0;
};
struct StripeFooter {
  std::vector<StreamPlace> streams;
  std::vector<ColumnEncoding> encodings;  // one a column
  std::string time_zone;
};

// `offset` of the bytes in the file, for messages. corrupt ("orc"), unsupported ("orc").
Result<PostScript> read_postscript(std::string_view bytes, uint64_t offset);
Status read_footer(std::string_view bytes, uint64_t offset, uint64_t file_bytes, Tail& tail);
Status read_statistics(std::string_view bytes, uint64_t offset, Tail& tail);
Result<StripeFooter> read_stripe_footer(std::string_view bytes, const Stripe& stripe,
                                        size_t columns);

}  // namespace aichemy::orc
