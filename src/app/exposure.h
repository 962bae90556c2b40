// What may be reached from other machines.
#pragma once

#include <string>

#include "app/config.h"
#include "auth/access_keys.h"
#include "auth/users.h"
#include "base/result.h"

namespace aichemy::app {

// The well-known credentials of the first run: on loopback only, until they are changed.
inline constexpr const char* kFirstUsers[][2] = {{"admin", "admin123"}, {"user1", "user123"}};
inline constexpr const char* kFirstAccessKey = "admin";
inline constexpr const char* kFirstSecretKey = "password123";

bool is_loopback(const std::string& address);

// denied ("anonymous_events", "anonymous_hms", "default_passwords") when the address to listen on
// is more than loopback, and protocols without sign-in or passwords that stand in the README would
// be reachable there.
Status check_exposure(const Config& config, auth::UserStore& users, auth::AccessKeys& keys,
                      bool allow_default_passwords);

}  // namespace aichemy::app
