// S3 access keys. Signatures need the secret itself, so the file holds it: mode and place
// (secrets/) protect it. Lines of `access-key secret user`. Deny by default: an unknown key is
// refused. Thread safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::auth {

struct AccessKey {
  std::string id;
  std::string secret;
  std::string user;  // who acts: the principal of calls
};

class AccessKeys {
 public:
  static Result<std::unique_ptr<AccessKeys>> open(Disk& disk, std::string path);
  Status set(const AccessKey& key);      // adds or changes; invalid ("access_key")
  Status remove(const std::string& id);  // not_found ("no_such_access_key")
  std::optional<AccessKey> find(std::string_view id);
  std::vector<std::string> ids();

 private:
  AccessKeys(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Disk& disk_;
  const std::string path_;
  std::mutex mutex_;
  std::map<std::string, AccessKey, std::less<>> keys_;

  Status store(std::map<std::string, AccessKey, std::less<>> keys);
};

}  // namespace aichemy::auth
