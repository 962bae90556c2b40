#include "app/up.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "app/platform.h"
#include "base/log.h"

extern char** environ;

namespace aichemy::app {
namespace {

constexpr auto kDrainTime = std::chrono::seconds(10);

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void configure_log_from(const Config& config) {
  const std::string& level = config.text("log.level");
  LogLevel chosen = level == "debug"   ? LogLevel::debug
                    : level == "warn"  ? LogLevel::warn
                    : level == "error" ? LogLevel::error
                                       : LogLevel::info;
  configure_log(chosen, config.text("log.format") == "json" ? LogFormat::json : LogFormat::human);
}

void print_addresses(const Json& ready) {
  auto row = [](const char* name, std::string_view address, const std::string& note) {
    if (!address.empty()) fmt::print("  {:<16} {:<28} {}\n", name, address, note);
  };
  auto text = [&](const char* service, const char* key) { return ready[service][key].as_string(); };
  auto login = [&](const char* service, const char* user, const char* password) {
    std::string_view secret = text(service, password);
    return fmt::format("{} / {}", text(service, user), secret.empty() ? "(changed)" : secret);
  };
  row("SQL", text("sql", "https"), login("sql", "user", "password"));
  row("SQL, local", text("sql", "http"), "");
  row("S3", text("s3", "endpoint"), login("s3", "access_key", "secret_key"));
  row("events (Kafka)", text("events", "bootstrap"), "");
  row("events, outside", text("events", "external"), "");
  row("Hive Metastore", text("metastore", "thrift"), "");
  row("Iceberg REST", text("iceberg_rest", "uri"), "");
  row("jobs", text("jobs", "rest"), "");
  row("console", text("console", "url"), login("sql", "user", "password"));
  row("metrics", text("metrics", "url"), "");
  fmt::print("  {:<16} {}\n", "data", ready["data"].as_string());
  std::fflush(stdout);
}

// Blocks the signals we wait for in every thread that starts from here on.
sigset_t take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

int explain(const Error& error) {
  fmt::print(stderr, "aichemy: {}\n", error.message);
  return error.is("config") ? 2 : 1;
}

Status announce(const UpOptions& options, const Json& ready, Disk& disk) {
  std::string text = ready.dump_pretty() + "\n";
  // The commands of this machine find the platform by the copy in its data directory.
  RETURN_IF_ERROR(disk.replace_file(std::string(ready["data"].as_string()) + "/ready.json", text));
  if (!options.ready_file.empty()) RETURN_IF_ERROR(disk.replace_file(options.ready_file, text));
  return {};
}

}  // namespace

std::map<std::string, std::string> our_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    std::string_view text = *entry;
    size_t equals = text.find('=');
    if (!text.starts_with("AICHEMY_") || equals == std::string_view::npos) continue;
    std::string name(text.substr(0, equals));
    if (name == "AICHEMY_DATA") continue;  // not a key: where the keys' data lie
    out[name] = text.substr(equals + 1);
  }
  return out;
}

int run_up(const UpOptions& options) {
  SystemClock clock;
  SystemRandom random;
  PosixDisk disk;
  SteadyTime began = clock.steady_now();
  auto config =
      Config::load({options.config_file, our_environment(), options.settings, options.any_ports});
  if (!config) return explain(config.error());
  configure_log_from(*config);
  raise_file_limit();
  sigset_t signals = take_signals();

  std::string path = options.data.empty() ? default_data_path() : options.data;
  if (path[0] != '/') {
    char here[4096];
    if (::getcwd(here, sizeof here)) path = std::string(here) + "/" + path;
  }
  auto data = DataDirectory::open(path, disk);
  if (!data) return explain(data.error());
  auto platform = Platform::start(
      {std::move(*config), std::move(*data), disk, clock, random, options.allow_default_passwords});
  if (!platform) return explain(platform.error());
  Json ready = (*platform)->ready();
  if (Status announced = announce(options, ready, disk); !announced)
    return explain(announced.error());
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - began);
  fmt::print("ready in {} ms\n", took.count());
  print_addresses(ready);

  int signal = 0;
  sigwait(&signals, &signal);
  log_info("stopping", {{"signal", strsignal(signal)}});
  // A second signal ends the process at once: crash safety is the real guarantee.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (void)disk.remove(path + "/ready.json");
  (*platform)->stop(kDrainTime);
  platform->reset();
  return 0;
}

}  // namespace aichemy::app
