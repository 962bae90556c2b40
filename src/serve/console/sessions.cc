#include "serve/console/sessions.h"

#include <charconv>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::serve::console {
namespace {

constexpr size_t kFailuresMax = 5;
constexpr std::chrono::seconds kFailureWindow{60};
constexpr size_t kFailureNamesMax = 10'000;
constexpr size_t kSessionsMax = 10'000;

std::string digest_of(std::string_view token) { return to_hex(digest(DigestKind::sha256, token)); }

}  // namespace

Result<std::unique_ptr<Sessions>> Sessions::open(Disk& disk, Clock& clock, Random& random,
                                                 std::string path) {
  std::unique_ptr<Sessions> sessions(new Sessions(disk, clock, random, std::move(path)));
  auto text = disk.read_file(sessions->path_);
  if (!text && text.error().code == Code::not_found) return sessions;
  if (!text) return std::unexpected(text.error());
  std::string_view left = *text;
  while (!left.empty()) {  // digest ends_millis user
    size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    size_t second = line.find(' ', 65);
    Entry entry;
    bool good = line.size() > 66 && line[64] == ' ' && second != line.npos;
    if (good) {
      auto [at, error] = std::from_chars(line.data() + 65, line.data() + second, entry.ends_millis);
      good = error == std::errc() && at == line.data() + second;
    }
    if (!good) {  // everybody signs in again; nothing else is lost
      sessions->by_digest_.clear();
      return sessions;
    }
    entry.user = line.substr(second + 1);
    if (entry.ends_millis > clock.wall_millis())
      sessions->by_digest_[std::string(line.substr(0, 64))] = std::move(entry);
  }
  return sessions;
}

Status Sessions::store(std::map<std::string, Entry, std::less<>> entries) {
  std::string text;
  for (const auto& [digest, entry] : entries)
    text += digest + " " + std::to_string(entry.ends_millis) + " " + entry.user + "\n";
  RETURN_IF_ERROR(disk_.make_directories(parent_directory(path_)));
  RETURN_IF_ERROR(disk_.replace_file(path_, text));
  by_digest_ = std::move(entries);
  return {};
}

Result<std::string> Sessions::begin(const std::string& user) {
  std::string token = to_base64url(random_.bytes(32));
  std::lock_guard lock(mutex_);
  auto entries = by_digest_;
  int64_t now = clock_.wall_millis();
  std::erase_if(entries, [&](const auto& row) { return row.second.ends_millis <= now; });
  if (entries.size() >= kSessionsMax)
    return fail(Code::exhausted, "too_many_sessions", "too many people are signed in");
  auto life = std::chrono::duration_cast<std::chrono::milliseconds>(kLife);
  entries[digest_of(token)] = {user, now + life.count()};
  RETURN_IF_ERROR(store(std::move(entries)));
  failures_.erase(user);
  return token;
}

std::optional<SessionInfo> Sessions::find(std::string_view token) {
  std::string digest = digest_of(token);
  std::lock_guard lock(mutex_);
  auto found = by_digest_.find(digest);
  if (found == by_digest_.end() || found->second.ends_millis <= clock_.wall_millis())
    return std::nullopt;
  return SessionInfo{found->second.user, digest_of("csrf " + std::string(token))};
}

Status Sessions::end(std::string_view token) {
  std::lock_guard lock(mutex_);
  auto entries = by_digest_;
  if (entries.erase(digest_of(token)) == 0) return {};
  return store(std::move(entries));
}

Status Sessions::end_all_of(const std::string& user) {
  std::lock_guard lock(mutex_);
  auto entries = by_digest_;
  std::erase_if(entries, [&](const auto& row) { return row.second.user == user; });
  return store(std::move(entries));
}

Status Sessions::check_attempts(const std::string& user) {
  std::lock_guard lock(mutex_);
  auto found = failures_.find(user);
  if (found == failures_.end()) return {};
  while (!found->second.empty() && clock_.steady_now() - found->second.front() > kFailureWindow)
    found->second.pop_front();
  if (found->second.size() < kFailuresMax) return {};
  return fail(Code::exhausted, "too_many_attempts",
              "too many wrong passwords for this name: wait a minute, then try again");
}

void Sessions::count_failure(const std::string& user) {
  std::lock_guard lock(mutex_);
  if (failures_.size() >= kFailureNamesMax) failures_.clear();
  failures_[user].push_back(clock_.steady_now());
}

}  // namespace aichemy::serve::console
