// `aichemy up`: runs the platform in the foreground until a signal.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace aichemy::app {

struct UpOptions {
  std::string data;
  std::string config_file;
  std::string ready_file;
  bool any_ports = false;
  bool allow_default_passwords = false;
  std::vector<std::string> settings;
};

// Exit code: 0 after a drained stop, 2 for a bad configuration, 1 for everything else that keeps it
// from running.
int run_up(const UpOptions& options);

// The AICHEMY_* variables that name keys of the configuration.
std::map<std::string, std::string> our_environment();

}  // namespace aichemy::app
