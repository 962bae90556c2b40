// `aichemy sql`: statements from -e, -f, standard input, or a person at a terminal (libedit:
// history, editing).
#include <editline/readline.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/commands.h"
#include "app/sql_completion.h"
#include "app/sql_output.h"

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

// Where a Ctrl-C at the prompt goes back to.
sigjmp_buf g_prompt;
volatile sig_atomic_t g_at_prompt = 0;

SqlCompletion* g_completion = nullptr;  // libedit's callbacks carry no argument

char** complete_word(const char* word, int, int) {
  static std::vector<std::string> offered;
  static size_t next = 0;
  rl_attempted_completion_over = 1;  // never file names
  offered = g_completion->complete(rl_line_buffer, word);
  rl_completion_append_character = 0;
  return rl_completion_matches(word, [](const char*, int state) -> char* {
    if (state == 0) next = 0;
    return next < offered.size() ? ::strdup(offered[next++].c_str()) : nullptr;
  });
}

constexpr const char* kHelp =
    "  \\d            tables; \\d NAME describes one    \\dn   schemas    \\dc   catalogs\n"
    "  \\o FORMAT     output: {}\n"
    "  \\x            rows as vertical, and back\n"
    "  \\timing       times of statements on or off\n"
    "  \\q            leaves (also Ctrl-D); Ctrl-C stops a statement or drops a line; TAB "
    "completes\n";

class Terminal {
 public:
  Terminal(SqlLogin login, std::string output)
      : client_(login), completion_(login), output_(std::move(output)) {}

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
    if (!rows->columns.empty() && rows->update_type.empty())
      find_sql_output(output_)->print(*rows, out);
    if (interactive || !rows->update_type.empty()) out += summary(*rows, interactive && timing_);
    if (!rows->update_type.empty()) completion_.forget(client_.login());
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
    g_completion = &completion_;
    rl_attempted_completion_function = complete_word;
    rl_completer_word_break_characters = const_cast<char*>(" \t\n,()=<>+-*/;|[]'\"");
    std::signal(SIGINT, [](int) {
      if (g_running)
        g_running->cancel();
      else if (g_at_prompt)
        siglongjmp(g_prompt, 1);
    });
    fmt::print("{} as {}. Statements end with ';'. \\? helps, \\q leaves.\n",
               client_.login().server, client_.login().user);
    std::string pending;
    if (sigsetjmp(g_prompt, 1) != 0) {
      g_at_prompt = 0;
      pending.clear();
      fmt::print("^C\n");
      std::fflush(stdout);
    }
    while (auto line = read_line(is_blank(pending) ? "aichemy> " : "      -> ")) {
      if (is_blank(pending) && (*line == "\\q" || *line == "quit" || *line == "exit")) break;
      if (is_blank(pending) && line->starts_with('\\')) {
        add_history(line->c_str());
        command(*line);
        continue;
      }
      std::string rest;
      pending += *line + "\n";
      auto statements = split_statements(pending, rest);
      // A statement of several lines is one entry.
      if (!statements.empty()) add_history(one_line(pending).c_str());
      for (const std::string& statement : statements) {
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
  SqlCompletion completion_;
  std::string output_;
  std::string output_before_ = "table";  // \\x
  bool timing_ = true;

  static std::optional<std::string> read_line(const char* prompt) {
    g_at_prompt = 1;
    char* raw = readline(prompt);
    g_at_prompt = 0;
    if (!raw) return std::nullopt;
    std::string line = raw;
    std::free(raw);
    return line;
  }

  static std::string one_line(std::string text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    std::ranges::replace(text, '\n', ' ');
    return text;
  }

  // \\d and its like.
  void command(const std::string& line) {
    size_t blank = line.find(' ');
    std::string name = line.substr(0, blank);
    std::string argument =
        blank == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', blank));
    if (name == "\\d") {
      run(argument.empty() ? tables_statement() : "DESCRIBE " + argument, true);
    } else if (name == "\\dn") {
      run("SHOW SCHEMAS", true);
    } else if (name == "\\dc") {
      run("SHOW CATALOGS", true);
    } else if (name == "\\timing") {
      timing_ = !timing_;
      fmt::print("timing is {}\n", timing_ ? "on" : "off");
    } else if (name == "\\x") {
      std::swap(output_, output_before_);
      if (output_ != "vertical" && output_before_ != "vertical") {
        output_before_ = std::exchange(output_, "vertical");
      }
      fmt::print("output is {}\n", output_);
    } else if (name == "\\o" && find_sql_output(argument)) {
      output_ = argument;
      fmt::print("output is {}\n", output_);
    } else {
      fmt::print(kHelp, sql_output_names());
    }
  }

  std::string tables_statement() const {
    return client_.login().schema.empty()
               ? "SELECT table_schema, table_name, table_type FROM information_schema.tables "
                 "WHERE table_schema <> 'information_schema' ORDER BY 1, 2"
               : "SHOW TABLES";
  }

  static std::string summary(const SqlRows& rows, bool timed) {
    std::string took = timed ? fmt::format(" in {} ms", rows.elapsed_millis) : "";
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
  if (!find_sql_output(options.output)) {
    fmt::print(stderr, "aichemy: --output {}: there are {}\n", options.output, sql_output_names());
    return 2;
  }
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
