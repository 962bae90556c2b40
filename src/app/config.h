// Configuration: one table of keys (config.cc) yields the file's parser, --set, the environment and
// docs/config.md. Order, later wins: the table's default, aichemy.yaml, the environment
// (AICHEMY_S3_PORT), --set s3.port=9000.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::app {

enum class ValueKind : uint8_t { boolean, port, text, bytes, count, duration, store };

struct ConfigKey {
  std::string_view name;  // service.key
  ValueKind kind;
  std::string_view fallback;
  std::string_view meaning;  // one line for people
};

// One key as it is in force; of a store's address without its password.
struct ConfigValue {
  std::string_view name;
  std::string value;
  std::string_view fallback, allowed, meaning;
};

const std::vector<ConfigKey>& config_keys();
std::string config_document();  // docs/config.md

struct ConfigSources {
  std::string file;                                // "" for none
  std::map<std::string, std::string> environment;  // AICHEMY_* only
  std::vector<std::string> settings;               // key=value
  bool any_ports = false;  // --ports auto: every port is 0 unless said otherwise
};

// Typed access; asking for a key that is not in the table is our bug.
class Config {
 public:
  // invalid ("config"): names the key, where it came from (file and line), and what is allowed.
  static Result<Config> load(const ConfigSources& sources);

  bool flag(std::string_view key) const;
  uint16_t port(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  uint64_t bytes(std::string_view key) const;
  int64_t count(std::string_view key) const;
  int64_t millis(std::string_view key) const;
  std::vector<ConfigValue> list() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace aichemy::app
