#include "auth/users.h"

#include <crypt.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::auth {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr size_t kPasswordBytesMax = 72;  // bcrypt looks no further

bool is_bcrypt(std::string_view hash) {
  bool kind = hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  return kind && hash.size() == 60 && hash.find_first_of(":\n\r ") == std::string_view::npos;
}

Status check_name(const std::string& name) {
  bool good = !name.empty() && name.size() <= kNameBytesMax && is_valid_utf8(name) &&
              std::ranges::none_of(
                  name, [](char c) { return c == ':' || static_cast<unsigned char>(c) < 0x20; });
  if (good) return {};
  return fail(Code::invalid, "user_name",
              "a user name has 1 to 128 bytes, no ':' and no control characters");
}

// "" when the hash or its setting is not usable.
std::string bcrypt(std::string_view password, const std::string& setting) {
  auto data = std::make_unique<crypt_data>();
  std::string text(password);
  const char* hash = crypt_r(text.c_str(), setting.c_str(), data.get());
  return hash && hash[0] == '$' ? std::string(hash) : std::string();
}

}  // namespace

UserStore::UserStore(Disk& disk, Random& random, std::string path, int bcrypt_cost)
    : disk_(disk),
      random_(random),
      path_(std::move(path)),
      bcrypt_cost_(bcrypt_cost),
      memory_key_(random.bytes(32)) {}

Result<std::unique_ptr<UserStore>> UserStore::open(Disk& disk, Random& random, std::string path,
                                                   int bcrypt_cost) {
  std::unique_ptr<UserStore> store(new UserStore(disk, random, std::move(path), bcrypt_cost));
  RETURN_IF_ERROR(store->load());
  return store;
}

Status UserStore::load() {
  auto text = disk_.read_file(path_);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return std::unexpected(text.error());
  std::string_view left = *text;
  for (int line_number = 1; !left.empty(); ++line_number) {
    size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.empty() || line.starts_with('#')) continue;
    size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_bcrypt(line.substr(colon + 1))) {
      return fail(Code::corrupt, "users_file",
                  path_ + ":" + std::to_string(line_number) +
                      ": expected name:bcrypt-hash as htpasswd -B writes it");
    }
    hashes_[std::string(line.substr(0, colon))] = std::string(line.substr(colon + 1));
  }
  return {};
}

Status UserStore::change(const std::string& name, const std::string* hash) {
  std::lock_guard lock(mutex_);
  auto changed = hashes_;
  if (hash) {
    changed[name] = *hash;
  } else if (changed.erase(name) == 0) {
    return fail(Code::not_found, "no_such_user", "there is no user " + name);
  }
  std::string text;
  for (const auto& [user, kept] : changed) text += user + ":" + kept + "\n";
  RETURN_IF_ERROR(disk_.make_directories(parent_directory(path_)));
  RETURN_IF_ERROR(disk_.replace_file(path_, text));
  hashes_ = std::move(changed);
  verified_.erase(name);
  return {};
}

Status UserStore::set_password(const std::string& name, std::string_view password) {
  RETURN_IF_ERROR(check_name(name));
  bool good = !password.empty() && password.size() <= kPasswordBytesMax &&
              password.find('\0') == std::string_view::npos;
  if (!good) return fail(Code::invalid, "password", "a password has 1 to 72 bytes");
  std::string seed = random_.bytes(16);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (!crypt_gensalt_rn("$2y$", static_cast<unsigned long>(bcrypt_cost_), seed.data(),
                        static_cast<int>(seed.size()), setting, sizeof(setting))) {
    return fail(Code::internal, "bcrypt", "no salt could be made");
  }
  std::string hash = bcrypt(password, setting);
  if (hash.empty()) return fail(Code::internal, "bcrypt", "the password could not be hashed");
  return change(name, &hash);
}

Status UserStore::import_hash(const std::string& name, const std::string& hash) {
  RETURN_IF_ERROR(check_name(name));
  if (!is_bcrypt(hash))
    return fail(Code::invalid, "password_hash", "expected a bcrypt hash ($2y$...)");
  return change(name, &hash);
}

Status UserStore::remove(const std::string& name) { return change(name, nullptr); }

bool UserStore::has(const std::string& name) {
  std::lock_guard lock(mutex_);
  return hashes_.contains(name);
}

bool UserStore::empty() {
  std::lock_guard lock(mutex_);
  return hashes_.empty();
}

std::vector<std::string> UserStore::names() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, hash] : hashes_) all.push_back(name);
  return all;
}

std::string UserStore::fingerprint(const std::string& name, std::string_view password) const {
  return hmac_sha256(memory_key_, name + ":" + std::string(password));
}

bool UserStore::is_remembered(const std::string& name, std::string_view password) {
  std::string mine = fingerprint(name, password);
  std::lock_guard lock(mutex_);
  auto found = verified_.find(name);
  return found != verified_.end() && equal_constant_time(found->second, mine);
}

Status UserStore::check_password(const std::string& name, std::string_view password) {
  if (is_remembered(name, password)) return {};
  // A hash of no password, so that an unknown user takes as long as a wrong password (I2).
  static const std::string kNobody = "$2y$10$abcdefghijklmnopqrstuuJ3mZ1S1d3nVtq0jS9m5m5m5m5m5m5m5";
  std::string hash;
  {
    std::lock_guard lock(mutex_);
    auto found = hashes_.find(name);
    if (found != hashes_.end()) hash = found->second;
  }
  bool fits = password.size() <= kPasswordBytesMax && password.find('\0') == std::string_view::npos;
  std::string computed = bcrypt(fits ? password : "", hash.empty() ? kNobody : hash);
  if (hash.empty() || !fits || computed.empty() || !equal_constant_time(computed, hash)) {
    return fail(Code::unauthenticated, "bad_credentials", "the user name or the password is wrong");
  }
  std::string mine = fingerprint(name, password);
  std::lock_guard lock(mutex_);
  auto found = hashes_.find(name);
  if (found != hashes_.end() && found->second == hash) verified_[name] = std::move(mine);
  return {};
}

}  // namespace aichemy::auth
