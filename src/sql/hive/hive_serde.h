// Storage formats of Hive tables: the class names the Metastore keeps, and how lines of text are
// told apart into cells.
//
// LazySimpleSerDe: cells between one separator, collections by the next ones, \N is null.
// OpenCSVSerde: quoted cells, all of them text. JsonSerDe: an object a line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/hive_metastore.h"

namespace aichemy::sql {

enum class HiveFormat : uint8_t {
  parquet,
  textfile,
  csv,
  json,
  openx_json,
  orc,
  avro,
  rcbinary,
  rctext,
  sequencefile,
  regex,
};

struct HiveFormatRow {
  HiveFormat format;
  const char* name;  // of the table property `format`
  const char* serde;
  const char* input;
  const char* output;
  bool read, written;  // here
};
const HiveFormatRow& hive_format_row(HiveFormat format);
// Any case; nullptr when Trino has no such format.
const HiveFormatRow* find_hive_format(std::string_view name);
// unsupported ("HIVE_UNSUPPORTED_FORMAT") when nobody knows it.
Result<HiveFormat> format_of(const wire::hive::StorageDescriptor& storage);

struct HiveSerde {
  HiveFormat format = HiveFormat::textfile;
  static constexpr size_t kLevels = 8;
  std::array<char, kLevels> separators = {1, 2, 3, 4, 5, 6, 7, 8};  // textfile
  std::optional<char> escape;                                       // textfile
  std::string null_text = "\\N";                                    // textfile
  char csv_separator = ',', csv_quote = '"', csv_escape = '\\';
  int64_t skip_header = 0, skip_footer = 0;  // lines of each file
  bool ignore_malformed = false;             // openx_json
  std::string avro_schema;                   // avro: the table's own, for its defaults

  std::string text() const;  // for from_text
  static Result<HiveSerde> from_text(std::string_view text);
};

// From the parameters of a storage descriptor's SerDe, and of its table.
Result<HiveSerde> serde_of(HiveFormat format, const wire::hive::StorageDescriptor& storage,
                           const wire::hive::Parameters& table);

// Cells of a line, escapes and quotes still inside (textfile); at most `max`, or all.
void split_text(std::string_view line, const HiveSerde& serde, size_t level,
                std::vector<std::string_view>& cells);
// Without its escapes: into `kept` when there are any.
std::string_view unescaped(std::string_view cell, const HiveSerde& serde, std::string& kept);
// Cells of a CSV line, ready.
void split_csv(std::string_view line, const HiveSerde& serde, std::vector<std::string>& cells);

}  // namespace aichemy::sql
