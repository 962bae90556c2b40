#include "auth/access_keys.h"

#include <algorithm>

namespace aichemy::auth {
namespace {

bool is_word(std::string_view text, size_t bytes_min) {
  return text.size() >= bytes_min && text.size() <= 128 &&
         std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20; });
}

}  // namespace

Result<std::unique_ptr<AccessKeys>> AccessKeys::open(Disk& disk, std::string path) {
  std::unique_ptr<AccessKeys> keys(new AccessKeys(disk, std::move(path)));
  auto text = disk.read_file(keys->path_);
  if (!text && text.error().code == Code::not_found) return keys;
  if (!text) return std::unexpected(text.error());
  std::string_view left = *text;
  for (int line_number = 1; !left.empty(); ++line_number) {
    size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.empty() || line.starts_with('#')) continue;
    size_t first = line.find(' ');
    size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
      return fail(
          Code::corrupt, "access_keys_file",
          keys->path_ + ":" + std::to_string(line_number) + ": expected: access-key secret user");
    }
    AccessKey key{std::string(line.substr(0, first)),
                  std::string(line.substr(first + 1, second - first - 1)),
                  std::string(line.substr(second + 1))};
    std::string id = key.id;
    keys->keys_[std::move(id)] = std::move(key);
  }
  return keys;
}

Status AccessKeys::store(std::map<std::string, AccessKey, std::less<>> keys) {
  std::string text;
  for (const auto& [id, key] : keys) text += id + " " + key.secret + " " + key.user + "\n";
  RETURN_IF_ERROR(disk_.make_directories(parent_directory(path_)));
  RETURN_IF_ERROR(disk_.replace_file(path_, text));
  keys_ = std::move(keys);
  return {};
}

Status AccessKeys::set(const AccessKey& key) {
  if (!is_word(key.id, 3) || key.id.find('/') != std::string::npos || !is_word(key.secret, 8) ||
      !is_word(key.user, 1)) {
    return fail(
        Code::invalid, "access_key",
        "an access key has 3 to 128 characters without '/', its secret 8 to 128, no spaces");
  }
  std::lock_guard lock(mutex_);
  auto keys = keys_;
  keys[key.id] = key;
  return store(std::move(keys));
}

Status AccessKeys::remove(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto keys = keys_;
  if (keys.erase(id) == 0)
    return fail(Code::not_found, "no_such_access_key", "there is no access key " + id);
  return store(std::move(keys));
}

std::optional<AccessKey> AccessKeys::find(std::string_view id) {
  std::lock_guard lock(mutex_);
  auto found = keys_.find(id);
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> AccessKeys::ids() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [id, key] : keys_) all.push_back(id);
  return all;
}

}  // namespace aichemy::auth
