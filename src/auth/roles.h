// What a user may do in the console, kept in one file of `user role` lines beside the passwords. A
// user without a line: `admin` is admin, everybody else is viewer. Thread safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::auth {

class RoleStore {
 public:
  // corrupt ("roles_file") naming the line.
  static Result<std::unique_ptr<RoleStore>> open(Disk& disk, std::string path);
  // viewer, operator or admin; invalid ("role") otherwise. Durable.
  Status set(const std::string& user, const std::string& role);
  Status remove(const std::string& user);  // absent is success
  std::string of(const std::string& user);

 private:
  RoleStore(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Disk& disk_;
  const std::string path_;
  std::mutex mutex_;
  std::map<std::string, std::string> roles_;

  Status store(std::map<std::string, std::string> roles);
};

}  // namespace aichemy::auth
