#include "auth/roles.h"

#include <algorithm>

namespace aichemy::auth {
namespace {

bool is_role(std::string_view role) {
  return role == "viewer" || role == "operator" || role == "admin";
}

}  // namespace

Result<std::unique_ptr<RoleStore>> RoleStore::open(Disk& disk, std::string path) {
  std::unique_ptr<RoleStore> store(new RoleStore(disk, std::move(path)));
  auto text = disk.read_file(store->path_);
  if (!text && text.error().code == Code::not_found) return store;
  if (!text) return std::unexpected(text.error());
  std::string_view left = *text;
  for (int number = 1; !left.empty(); ++number) {
    size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.empty() || line.starts_with('#')) continue;
    size_t blank = line.rfind(' ');  // names may hold blanks, roles do not
    if (blank == std::string_view::npos || blank == 0 || !is_role(line.substr(blank + 1))) {
      return fail(Code::corrupt, "roles_file",
                  store->path_ + ":" + std::to_string(number) +
                      ": expected: user role, with role viewer, operator or admin");
    }
    store->roles_[std::string(line.substr(0, blank))] = std::string(line.substr(blank + 1));
  }
  return store;
}

Status RoleStore::store(std::map<std::string, std::string> roles) {
  std::string text;
  for (const auto& [user, role] : roles) text += user + " " + role + "\n";
  RETURN_IF_ERROR(disk_.make_directories(parent_directory(path_)));
  RETURN_IF_ERROR(disk_.replace_file(path_, text));
  roles_ = std::move(roles);
  return {};
}

Status RoleStore::set(const std::string& user, const std::string& role) {
  if (!is_role(role)) {
    return fail(Code::invalid, "role", "a role is viewer, operator or admin, not '" + role + "'");
  }
  std::lock_guard lock(mutex_);
  auto roles = roles_;
  roles[user] = role;
  return store(std::move(roles));
}

Status RoleStore::remove(const std::string& user) {
  std::lock_guard lock(mutex_);
  auto roles = roles_;
  if (roles.erase(user) == 0) return {};
  return store(std::move(roles));
}

std::string RoleStore::of(const std::string& user) {
  std::lock_guard lock(mutex_);
  auto found = roles_.find(user);
  if (found != roles_.end()) return found->second;
  return user == "admin" ? "admin" : "viewer";
}

}  // namespace aichemy::auth
