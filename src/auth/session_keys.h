// Access keys for a while and for part of the object store, as AWS's session credentials: nothing
// of them is kept. The token says itself what it allows, until when and to whom, sealed by a key
// that only the platform has; the secret follows from it. Immutable: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace aichemy::auth {

struct SessionGrant {
  std::string user;                 // who acts: the principal of calls
  std::vector<std::string> places;  // "bucket/prefix/": objects whose bucket/key begins so
  WallTime until{};                 // to the second

  bool allows(std::string_view bucket, std::string_view key) const;
};

struct SessionKey {
  std::string id, secret, token;
  SessionGrant grant;
};

class SessionKeys {
 public:
  // `seal`: at least 32 random bytes; with another one all that was issued is worth nothing.
  explicit SessionKeys(std::string seal) : seal_(std::move(seal)) {}

  SessionKey issue(SessionGrant grant) const;
  // What issue() made. unauthenticated ("invalid_token") when it did not, denied ("expired_token").
  Result<SessionKey> open(std::string_view token, WallTime now) const;

 private:
  std::string seal_;

  std::string sealed(std::string_view what, std::string_view payload) const;
  SessionKey key_of(const std::string& payload, SessionGrant grant) const;
};

}  // namespace aichemy::auth
