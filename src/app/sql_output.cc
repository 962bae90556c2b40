#include "app/sql_output.h"

#include <fmt/core.h>

#include <algorithm>

namespace aichemy::app {
namespace {

std::string shown(const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return std::string(value.as_string());
  return value.dump();
}

// Columns of a terminal; East Asian letters and emoji take two, combining marks none.
size_t width_of(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    auto first = static_cast<unsigned char>(text[i]);
    size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    i += length;
    bool none =
        (code >= 0x300 && code < 0x370) || code == 0x200D || (code >= 0xFE00 && code < 0xFE10);
    bool two = (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) ||
               (code >= 0xAC00 && code < 0xD7A4) || (code >= 0xF900 && code < 0xFB00) ||
               (code >= 0xFE30 && code < 0xFE70) || (code >= 0xFF00 && code < 0xFF61) ||
               (code >= 0x1F300 && code < 0x1FAFF) || (code >= 0x20000 && code < 0x3FFFE);
    width += none ? 0 : two ? 2 : 1;
  }
  return width;
}

std::string padded(const std::string& text, size_t width, bool right) {
  std::string blanks(width - std::min(width, width_of(text)), ' ');
  return right ? blanks + text : text + blanks;
}

bool is_number(const std::string& type) {
  return type.ends_with("int") || type == "integer" || type == "double" || type == "real" ||
         type == "number" || type.starts_with("decimal");
}

struct Cells {
  std::vector<size_t> widths;
  std::vector<bool> numeric;
  std::vector<std::vector<std::string>> lines;
};

Cells cells_of(const SqlRows& rows) {
  Cells out;
  for (const auto& [name, type] : rows.columns) {
    out.widths.push_back(width_of(name));
    out.numeric.push_back(is_number(type));
  }
  for (const Json& row : rows.rows) {
    auto& line = out.lines.emplace_back();
    for (size_t i = 0; i < row.as_array().size(); ++i) {
      line.push_back(shown(row.as_array()[i]));
      std::ranges::replace(line.back(), '\n', ' ');
      out.widths[i] = std::max(out.widths[i], width_of(line.back()));
    }
  }
  return out;
}

void print_table(const SqlRows& rows, std::string& out) {
  Cells cells = cells_of(rows);
  const auto& widths = cells.widths;
  for (size_t i = 0; i < widths.size(); ++i)
    out += (i ? " | " : " ") + padded(rows.columns[i].first, widths[i], false);
  out += '\n';
  for (size_t i = 0; i < widths.size(); ++i) out += (i ? "-+-" : "-") + std::string(widths[i], '-');
  out += "-\n";
  for (const auto& line : cells.lines) {
    for (size_t i = 0; i < line.size(); ++i)
      out += (i ? " | " : " ") + padded(line[i], widths[i], cells.numeric[i]);
    out += '\n';
  }
}

void print_markdown(const SqlRows& rows, std::string& out) {
  Cells cells = cells_of(rows);
  for (size_t i = 0; i < rows.columns.size(); ++i)
    out += (i ? " | " : "| ") + padded(rows.columns[i].first, cells.widths[i], false);
  out += " |\n";
  for (size_t i = 0; i < rows.columns.size(); ++i)
    out += (i ? "|-" : "|-") + std::string(cells.widths[i], '-') + (cells.numeric[i] ? ":" : "-");
  out += "|\n";
  for (auto& line : cells.lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      std::string safe;
      for (char c : line[i]) safe += c == '|' ? std::string("\\|") : std::string(1, c);
      out += (i ? " | " : "| ") + padded(safe, cells.widths[i], cells.numeric[i]);
    }
    out += " |\n";
  }
}

void put_csv(const std::vector<std::string>& fields, std::string& out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    out += i ? ",\"" : "\"";
    for (char c : fields[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    out += '"';
  }
  out += '\n';
}

void put_tsv(const std::vector<std::string>& fields, std::string& out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i) out += '\t';
    for (char c : fields[i]) {
      static constexpr std::pair<char, const char*> kEscapes[] = {
          {'\t', "\\t"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\\', "\\\\"}};
      auto escape = std::ranges::find(kEscapes, c, &std::pair<char, const char*>::first);
      out += escape == std::end(kEscapes) ? std::string(1, c) : std::string(escape->second);
    }
  }
  out += '\n';
}

template <void (*put)(const std::vector<std::string>&, std::string&), bool header>
void print_lines(const SqlRows& rows, std::string& out) {
  std::vector<std::string> line;
  if (header) {
    for (const auto& [name, type] : rows.columns) line.push_back(name);
    put(line, out);
  }
  for (const Json& row : rows.rows) {
    line.clear();
    for (const Json& value : row.as_array())
      line.push_back(value.is_null() ? std::string() : shown(value));
    put(line, out);
  }
}

void print_json(const SqlRows& rows, std::string& out) {
  for (const Json& row : rows.rows) {
    Json object = Json::object();
    for (size_t i = 0; i < rows.columns.size() && i < row.as_array().size(); ++i)
      object.set(rows.columns[i].first, row.as_array()[i]);
    out += object.dump() + '\n';
  }
}

void print_vertical(const SqlRows& rows, std::string& out) {
  size_t number = 0, width = 0;
  for (const auto& [name, type] : rows.columns) width = std::max(width, width_of(name));
  for (const Json& row : rows.rows) {
    out += fmt::format("-[ row {} ]-\n", ++number);
    for (size_t i = 0; i < rows.columns.size() && i < row.as_array().size(); ++i)
      out += padded(rows.columns[i].first, width, false) + " | " + shown(row.as_array()[i]) + '\n';
  }
}

}  // namespace

const std::vector<SqlOutput>& sql_outputs() {
  static const std::vector<SqlOutput> kRows = {
      {"table", "columns side by side", print_table},
      {"csv", "comma separated, quoted; NULL is empty", print_lines<put_csv, false>},
      {"csv_header", "csv with the names first", print_lines<put_csv, true>},
      {"tsv", "tabs; tabs and line ends escaped", print_lines<put_tsv, false>},
      {"tsv_header", "tsv with the names first", print_lines<put_tsv, true>},
      {"json", "an object a line", print_json},
      {"markdown", "a table for documents", print_markdown},
      {"vertical", "a line a column", print_vertical},
  };
  return kRows;
}

const SqlOutput* find_sql_output(std::string_view name) {
  for (const SqlOutput& row : sql_outputs()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string sql_output_names() {
  std::string out;
  for (const SqlOutput& row : sql_outputs())
    out += (out.empty() ? "" : ", ") + std::string(row.name);
  return out;
}

}  // namespace aichemy::app
