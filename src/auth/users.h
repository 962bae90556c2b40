// People and their passwords, kept as bcrypt hashes in one file of `name:hash` lines: the format of
// htpasswd -B, so Trino's password file can be imported line by line. The file is replaced durably
// on every change. Thread safe.
//
// I1  A user that is not in the file is refused: there is no anonymous access and no default user
// here (the
//     application makes its well-known users by calling set_password).
// I2  A check costs one bcrypt the first time; a pair that was verified is remembered as a keyed
// digest (never as
//     text) until the user changes. A failed check always costs one bcrypt, known user or not.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::auth {

class UserStore {
 public:
  // The file is made by the first change. corrupt ("users_file") when it cannot be read, naming the
  // line.
  static Result<std::unique_ptr<UserStore>> open(Disk& disk, Random& random, std::string path,
                                                 int bcrypt_cost = 10);

  // Adds or changes. invalid ("user_name", "password") when empty, too long (72 bytes) or with ':'
  // or newlines.
  Status set_password(const std::string& name, std::string_view password);
  // Adds or changes from an htpasswd line's hash ($2a$, $2b$ or $2y$). invalid ("password_hash").
  Status import_hash(const std::string& name, const std::string& hash);
  Status remove(const std::string& name);  // not_found ("no_such_user")
  bool has(const std::string& name);
  std::vector<std::string> names();
  bool empty();

  // unauthenticated ("bad_credentials") unless the pair is right. Blocking for up to 100 ms: run it
  // on a pool.
  Status check_password(const std::string& name, std::string_view password);
  // True when the answer to this pair is remembered: then check_password is quick enough for an io
  // loop.
  bool is_remembered(const std::string& name, std::string_view password);

 private:
  UserStore(Disk& disk, Random& random, std::string path, int bcrypt_cost);
  Disk& disk_;
  Random& random_;
  const std::string path_;
  const int bcrypt_cost_;
  const std::string memory_key_;
  std::mutex mutex_;
  std::map<std::string, std::string> hashes_;
  std::unordered_map<std::string, std::string> verified_;  // name -> keyed digest of the password

  Status load();
  Status change(const std::string& name, const std::string* hash);
  std::string fingerprint(const std::string& name, std::string_view password) const;
};

}  // namespace aichemy::auth
