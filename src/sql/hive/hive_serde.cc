#include "sql/hive/hive_serde.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace aichemy::sql {
namespace {

namespace hive = wire::hive;

#define QL "org.apache.hadoop.hive.ql.io."
#define SERDE "org.apache.hadoop.hive.serde2."
constexpr const char* kTextInput = "org.apache.hadoop.mapred.TextInputFormat";
constexpr const char* kTextOutput = QL "HiveIgnoreKeyTextOutputFormat";
constexpr const char* kSequenceInput = "org.apache.hadoop.mapred.SequenceFileInputFormat";
constexpr const char* kSequenceOutput = QL "HiveSequenceFileOutputFormat";

constexpr HiveFormatRow kFormats[] = {
    {HiveFormat::parquet, "PARQUET", QL "parquet.serde.ParquetHiveSerDe",
     QL "parquet.MapredParquetInputFormat", QL "parquet.MapredParquetOutputFormat", true, true},
    {HiveFormat::textfile, "TEXTFILE", SERDE "lazy.LazySimpleSerDe", kTextInput, kTextOutput, true,
     true},
    {HiveFormat::csv, "CSV", SERDE "OpenCSVSerde", kTextInput, kTextOutput, true, true},
    {HiveFormat::json, "JSON", "org.apache.hive.hcatalog.data.JsonSerDe", kTextInput, kTextOutput,
     true, true},
    {HiveFormat::openx_json, "OPENX_JSON", "org.openx.data.jsonserde.JsonSerDe", kTextInput,
     kTextOutput, true, true},
    {HiveFormat::orc, "ORC", QL "orc.OrcSerde", QL "orc.OrcInputFormat", QL "orc.OrcOutputFormat",
     true, true},
    {HiveFormat::avro, "AVRO", SERDE "avro.AvroSerDe", QL "avro.AvroContainerInputFormat",
     QL "avro.AvroContainerOutputFormat", true, true},
    {HiveFormat::rcbinary, "RCBINARY", SERDE "columnar.LazyBinaryColumnarSerDe",
     QL "RCFileInputFormat", QL "RCFileOutputFormat", false, false},
    {HiveFormat::rctext, "RCTEXT", SERDE "columnar.ColumnarSerDe", QL "RCFileInputFormat",
     QL "RCFileOutputFormat", false, false},
    {HiveFormat::sequencefile, "SEQUENCEFILE", SERDE "lazy.LazySimpleSerDe", kSequenceInput,
     kSequenceOutput, false, false},
    {HiveFormat::regex, "REGEX", SERDE "RegexSerDe", kTextInput, kTextOutput, false, false},
};
// Other names for the same.
struct SerdeAlias {
  const char* serde;
  HiveFormat format;
};
constexpr SerdeAlias kAliases[] = {
    {SERDE "JsonSerDe", HiveFormat::json},
    {"parquet.hive.serde.ParquetHiveSerDe", HiveFormat::parquet},
};
#undef QL
#undef SERDE

std::string parameter(const hive::Parameters& parameters, const char* key) {
  auto found = parameters.find(key);
  return found == parameters.end() ? std::string() : found->second;
}

// As LazySimpleSerDe reads a delimiter: the number of a byte, or its first character.
std::optional<char> byte_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= -128 && number < 256)
    return static_cast<char>(number);
  return text[0];
}

Result<int64_t> line_count(const hive::Parameters& table, const char* key) {
  std::string text = parameter(table, key);
  if (text.empty()) return 0;
  int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 0) {
    return fail(Code::corrupt, "HIVE_INVALID_METADATA",
                fmt::format("Invalid value for {} property: {}", key, text));
  }
  return count;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

}  // namespace

const HiveFormatRow& hive_format_row(HiveFormat format) {
  return *std::ranges::find(kFormats, format, &HiveFormatRow::format);
}

const HiveFormatRow* find_hive_format(std::string_view name) {
  for (const HiveFormatRow& row : kFormats) {
    if (same_name(row.name, name)) return &row;
  }
  return nullptr;
}

Result<HiveFormat> format_of(const hive::StorageDescriptor& storage) {
  std::string serde = storage.serde ? storage.serde->serialization_library.value_or("") : "";
  std::string input = storage.input_format.value_or("");
  for (const HiveFormatRow& row : kFormats) {
    // One SerDe stands for text and for sequence files.
    bool sequence = input == kSequenceInput;
    if (serde == row.serde && sequence == (row.format == HiveFormat::sequencefile))
      return row.format;
  }
  for (const SerdeAlias& alias : kAliases) {
    if (serde == alias.serde) return alias.format;
  }
  return fail(Code::unsupported, "HIVE_UNSUPPORTED_FORMAT",
              fmt::format("Unsupported SerDe: {} (input format {})", serde, input));
}

std::string HiveSerde::text() const {
  Json json = Json::object();
  json.set("format", hive_format_row(format).name);
  Json bytes = Json::array();
  for (char separator : separators) bytes.push(int{static_cast<uint8_t>(separator)});
  json.set("separators", std::move(bytes));
  if (escape) json.set("escape", int{static_cast<uint8_t>(*escape)});
  json.set("null", null_text);
  Json csv = Json::array();
  for (char c : {csv_separator, csv_quote, csv_escape}) csv.push(int{static_cast<uint8_t>(c)});
  json.set("csv", std::move(csv));
  return json.dump();
}

Result<HiveSerde> HiveSerde::from_text(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, Json::parse(text));
  HiveSerde serde;
  const HiveFormatRow* row = find_hive_format(json["format"].as_string());
  const auto& bytes = json["separators"].as_array();
  const auto& csv = json["csv"].as_array();
  if (!row || bytes.size() != kLevels || csv.size() != 3)
    return fail(Code::internal, "serde", "not a description of a SerDe");
  serde.format = row->format;
  for (size_t i = 0; i < kLevels; ++i) serde.separators[i] = static_cast<char>(bytes[i].as_int());
  if (const Json* escape = json.find("escape")) serde.escape = static_cast<char>(escape->as_int());
  serde.null_text = json["null"].as_string();
  serde.csv_separator = static_cast<char>(csv[0].as_int());
  serde.csv_quote = static_cast<char>(csv[1].as_int());
  serde.csv_escape = static_cast<char>(csv[2].as_int());
  return serde;
}

Result<HiveSerde> serde_of(HiveFormat format, const hive::StorageDescriptor& storage,
                           const hive::Parameters& table) {
  HiveSerde serde;
  serde.format = format;
  ASSIGN_OR_RETURN(serde.skip_header, line_count(table, "skip.header.line.count"));
  ASSIGN_OR_RETURN(serde.skip_footer, line_count(table, "skip.footer.line.count"));
  hive::Parameters given;
  if (storage.serde && storage.serde->parameters) given = *storage.serde->parameters;
  // What the SerDe itself does not say may be said by the table.
  for (const auto& [key, value] : table) given.emplace(key, value);
  auto set = [&](char& to, const char* key) {
    if (auto byte = byte_of(parameter(given, key))) to = *byte;
  };
  set(serde.separators[0], "serialization.format");
  set(serde.separators[0], "field.delim");
  set(serde.separators[1], "colelction.delim");  // Hive's own spelling, for long
  set(serde.separators[1], "collection.delim");
  set(serde.separators[2], "mapkey.delim");
  serde.escape = byte_of(parameter(given, "escape.delim"));
  if (auto found = given.find("serialization.null.format"); found != given.end())
    serde.null_text = found->second;
  if (same_name(parameter(given, "serialization.last.column.takes.rest"), "true")) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Hive tables whose last column takes the rest of the line are not supported");
  }
  auto character = [&](char& to, const char* key) {
    if (std::string text = parameter(given, key); !text.empty()) to = text[0];
  };
  character(serde.csv_separator, "separatorChar");
  character(serde.csv_quote, "quoteChar");
  character(serde.csv_escape, "escapeChar");
  if (format == HiveFormat::avro) {
    serde.avro_schema = parameter(given, "avro.schema.literal");
    if (serde.avro_schema.empty() && !parameter(given, "avro.schema.url").empty()) {
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  "Avro tables with the property avro.schema.url are not supported");
    }
  }
  serde.ignore_malformed = same_name(parameter(given, "ignore.malformed.json"), "true");
  return serde;
}

void split_text(std::string_view line, const HiveSerde& serde, size_t level,
                std::vector<std::string_view>& cells) {
  cells.clear();
  if (level >= HiveSerde::kLevels) return;
  char separator = serde.separators[level];
  size_t begin = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (serde.escape && line[i] == *serde.escape) {
      ++i;  // whatever comes next is itself
    } else if (line[i] == separator) {
      cells.push_back(line.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  cells.push_back(line.substr(begin));
}

std::string_view unescaped(std::string_view cell, const HiveSerde& serde, std::string& kept) {
  if (!serde.escape || cell.find(*serde.escape) == std::string_view::npos) return cell;
  kept.clear();
  for (size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] == *serde.escape && i + 1 < cell.size()) {
      ++i;
      kept.push_back(cell[i] == 'r' ? '\r' : cell[i] == 'n' ? '\n' : cell[i]);
    } else {
      kept.push_back(cell[i]);
    }
  }
  return kept;
}

void split_csv(std::string_view line, const HiveSerde& serde, std::vector<std::string>& cells) {
  cells.clear();
  cells.emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    char next = i + 1 < line.size() ? line[i + 1] : '\0';
    bool more = i + 1 < line.size();
    bool escaping = c == serde.csv_escape && c != serde.csv_quote;
    if (quoted && escaping && more && (next == serde.csv_quote || next == serde.csv_escape)) {
      cells.back().push_back(next);
      ++i;
    } else if (c == serde.csv_quote) {
      if (quoted && more && next == serde.csv_quote) {
        cells.back().push_back(c);
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (c == serde.csv_separator && !quoted) {
      cells.emplace_back();
    } else {
      cells.back().push_back(c);
    }
  }
}

}  // namespace aichemy::sql
