// `aichemy sql`: statements from -e, -f, standard input, or a person at a terminal (libedit:
// history, editing).
#include <editline/readline.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands.h"

namespace aichemy::app {
namespace {

SqlClient* g_running = nullptr;  // for the signal handler only

// Ends at ';' outside quotes and comments. What is left without one goes to `rest`.
std::vector<std::string> split_statements(const std::string& text, std::string& rest) {
  std::vector<std::string> out;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\'' || c == '"') {
      size_t close = text.find(c, i + 1);
      i = std::min(close, text.size() - 1);
    } else if (text.compare(i, 2, "--") == 0) {
      i = std::min(text.find('\n', i), text.size() - 1);
    } else if (text.compare(i, 2, "/*") == 0) {
      size_t close = text.find("*/", i + 2);
      i = close == std::string::npos ? text.size() - 1 : close + 1;
    } else if (c == ';') {
      out.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  rest = text.substr(start);
  return out;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

std::string shown(const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return std::string(value.as_string());
  return value.dump();
}

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width, bool right) {
  std::string blanks(width - std::min(width, width_of(text)), ' ');
  return right ? blanks + text : text + blanks;
}

void print_table(const SqlRows& rows, std::string& out) {
  std::vector<size_t> widths;
  std::vector<bool> numeric;
  for (const auto& [name, type] : rows.columns) {
    widths.push_back(width_of(name));
    numeric.push_back(type.ends_with("int") || type == "integer" || type == "double" ||
                      type == "real" || type.starts_with("decimal"));
  }
  std::vector<std::vector<std::string>> cells;
  for (const Json& row : rows.rows) {
    auto& line = cells.emplace_back();
    for (size_t i = 0; i < row.as_array().size(); ++i) {
      line.push_back(shown(row.as_array()[i]));
      std::ranges::replace(line.back(), '\n', ' ');
      widths[i] = std::max(widths[i], width_of(line.back()));
    }
  }
  for (size_t i = 0; i < widths.size(); ++i)
    out += (i ? " | " : " ") + padded(rows.columns[i].first, widths[i], false);
  out += '\n';
  for (size_t i = 0; i < widths.size(); ++i) out += (i ? "-+-" : "-") + std::string(widths[i], '-');
  out += "-\n";
  for (const auto& line : cells) {
    for (size_t i = 0; i < line.size(); ++i)
      out += (i ? " | " : " ") + padded(line[i], widths[i], numeric[i]);
    out += '\n';
  }
}

void print_csv(const SqlRows& rows, std::string& out) {
  auto field = [](const std::string& text) {
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
  };
  for (const Json& row : rows.rows) {
    std::string line;
    for (const Json& value : row.as_array()) {
      line += (line.empty() ? "" : ",") + (value.is_null() ? std::string() : field(shown(value)));
    }
    out += line + '\n';
  }
}

void print_rows(const SqlRows& rows, const std::string& format, std::string& out) {
  if (format == "csv") return print_csv(rows, out);
  if (format == "table") return print_table(rows, out);
  size_t number = 0;
  for (const Json& row : rows.rows) {
    Json object = Json::object();
    if (format == "vertical") out += fmt::format("-[ row {} ]-\n", ++number);
    for (size_t i = 0; i < rows.columns.size() && i < row.as_array().size(); ++i) {
      const Json& value = row.as_array()[i];
      if (format == "vertical")
        out += fmt::format("{} | {}\n", rows.columns[i].first, shown(value));
      object.set(rows.columns[i].first, value);
    }
    if (format == "json") out += object.dump() + '\n';
  }
}

class Terminal {
 public:
  Terminal(SqlLogin login, std::string output)
      : client_(std::move(login)), output_(std::move(output)) {}

  bool run(const std::string& statement, bool interactive) {
    g_running = &client_;
    bool drawn = false;
    auto on_page = [&](const SqlRows& so_far, const SqlProgress& progress) {
      if (!interactive || progress.elapsed_millis < 500) return;
      fmt::print(stderr, "\r{} {:.0f}% {} rows, {} received, {:.1f} s ", progress.state,
                 std::max(0.0, progress.percentage), progress.rows, so_far.rows.size(),
                 static_cast<double>(progress.elapsed_millis) / 1000);
      drawn = true;
    };
    auto rows = client_.run(statement, on_page);
    g_running = nullptr;
    if (drawn) fmt::print(stderr, "\r{:70}\r", "");
    if (!rows) {
      fmt::print(stderr, "{}\n", rows.error().message);
      return false;
    }
    std::string out;
    if (!rows->columns.empty() && rows->update_type.empty()) print_rows(*rows, output_, out);
    if (interactive || !rows->update_type.empty()) out += summary(*rows, interactive);
    show(out, interactive);
    return true;
  }

  int read_lines() {
    bool terminal = ::isatty(STDIN_FILENO) != 0;
    if (!terminal) {
      std::string text(std::istreambuf_iterator<char>(std::cin), {});
      return run_text(text) ? 0 : 1;
    }
    std::string history =
        std::string(std::getenv("HOME") ? std::getenv("HOME") : "/tmp") + "/.aichemy_history";
    using_history();
    read_history(history.c_str());
    std::signal(SIGINT, [](int) {
      if (g_running) g_running->cancel();
    });
    fmt::print(
        "{} as {}. Statements end with ';'. \\d lists tables, \\d NAME describes one, \\q "
        "leaves.\n",
        client_.login().server, client_.login().user);
    std::string pending;
    while (char* raw = readline(is_blank(pending) ? "aichemy> " : "      -> ")) {
      std::string line = raw;
      std::free(raw);
      if (is_blank(pending) && (line == "\\q" || line == "quit" || line == "exit")) break;
      if (!is_blank(line)) add_history(line.c_str());
      if (is_blank(pending) && line.starts_with("\\d")) {
        run(line.size() > 3 ? "DESCRIBE " + line.substr(3) : tables_statement(), true);
        continue;
      }
      std::string rest;
      for (const std::string& statement : split_statements(pending + line + "\n", rest)) {
        if (!is_blank(statement)) run(statement, true);
      }
      pending = is_blank(rest) ? "" : rest;
    }
    write_history(history.c_str());
    return 0;
  }

  bool run_text(const std::string& text) {
    std::string rest;
    auto statements = split_statements(text, rest);
    statements.push_back(rest);
    for (const std::string& statement : statements) {
      if (!is_blank(statement) && !run(statement, false)) return false;
    }
    return true;
  }

 private:
  SqlClient client_;
  std::string output_;

  std::string tables_statement() const {
    return client_.login().schema.empty()
               ? "SELECT table_schema, table_name, table_type FROM information_schema.tables "
                 "WHERE table_schema <> 'information_schema' ORDER BY 1, 2"
               : "SHOW TABLES";
  }

  static std::string summary(const SqlRows& rows, bool interactive) {
    std::string took = interactive ? fmt::format(" in {} ms", rows.elapsed_millis) : "";
    if (rows.update_count)
      return fmt::format("{}: {} rows{}\n", rows.update_type, *rows.update_count, took);
    if (!rows.update_type.empty()) return fmt::format("{}{}\n", rows.update_type, took);
    return fmt::format("({} rows{})\n", rows.rows.size(), took);
  }

  static void show(const std::string& text, bool interactive) {
    if (interactive && std::ranges::count(text, '\n') > 50) {
      const char* pager = std::getenv("PAGER");
      if (FILE* pipe = ::popen(pager ? pager : "less -FSRX", "w")) {
        std::fwrite(text.data(), 1, text.size(), pipe);
        ::pclose(pipe);
        return;
      }
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
};

}  // namespace

int run_sql(SqlOptions options) {
  if (options.login.server.empty()) {
    auto ready = find_platform(options.data);
    if (!ready) {
      fmt::print(stderr, "aichemy: {}\n", ready.error().message);
      return 1;
    }
    const Json& sql = (*ready)["sql"];
    options.login.server = sql["https"].as_string();
    options.login.certificate_file = options.data + "/tls/cert.pem";
    if (options.login.user.empty()) options.login.user = sql["user"].as_string();
    if (options.login.password.empty()) options.login.password = sql["password"].as_string();
  }
  if (options.login.user.empty())
    options.login.user = std::getenv("USER") ? std::getenv("USER") : "user";
  Terminal terminal(options.login, options.output);
  if (!options.file.empty()) {
    std::ifstream file(options.file);
    if (!file) {
      fmt::print(stderr, "aichemy: {} cannot be read\n", options.file);
      return 2;
    }
    return terminal.run_text(std::string(std::istreambuf_iterator<char>(file), {})) ? 0 : 1;
  }
  if (!options.statements.empty()) return terminal.run_text(options.statements) ? 0 : 1;
  return terminal.read_lines();
}

}  // namespace aichemy::app
