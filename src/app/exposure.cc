#include "app/exposure.h"

#include <fmt/format.h>

namespace aichemy::app {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

Status check_exposure(const Config& config, auth::UserStore& users, auth::AccessKeys& keys,
                      bool allow_default_passwords) {
  const std::string& address = config.text("listen.address");
  if (is_loopback(address)) return {};
  if (config.flag("events.enabled") && !config.flag("events.allow_anonymous")) {
    return fail(Code::denied, "anonymous_events",
                fmt::format("listen.address = {} would let anyone read and write events: Kafka "
                            "clients do not sign in yet. Say --set events.allow_anonymous=true, "
                            "or --set events.enabled=false",
                            address));
  }
  if (config.flag("hms.enabled") && !config.flag("hms.allow_anonymous")) {
    return fail(Code::denied, "anonymous_hms",
                fmt::format("listen.address = {} would let anyone change tables: Hive Metastore "
                            "clients do not sign in. Say --set hms.allow_anonymous=true, or "
                            "--set hms.enabled=false",
                            address));
  }
  if (allow_default_passwords) return {};
  std::string known;
  for (const auto& [name, password] : kFirstUsers) {
    if (users.check_password(name, password)) known += fmt::format(" user {};", name);
  }
  auto key = keys.find(kFirstAccessKey);
  if (key && key->secret == kFirstSecretKey)
    known += fmt::format(" S3 access key {};", kFirstAccessKey);
  if (known.empty()) return {};
  return fail(
      Code::denied, "default_passwords",
      fmt::format("listen.address = {} would expose well-known passwords:{} change them with "
                  "'aichemy user passwd NAME' and 'aichemy user access-key ID SECRET', or say "
                  "--allow-default-passwords",
                  address, known));
}

}  // namespace aichemy::app
