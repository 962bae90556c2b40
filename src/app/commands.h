// The commands that talk to a running platform or look at its data directory. Each returns the
// process' exit code.
#pragma once

#include <string>

#include "app/client_session.h"

namespace aichemy::app {

enum class UserAction : uint8_t { add, passwd, remove, list, access_key };
struct UserOptions {
  std::string data;
  UserAction action = UserAction::list;
  std::string name;
  std::string password;
};
// Changes secrets/users; a running platform sees it when it is restarted.
int run_user(const UserOptions& options);

struct SqlOptions {
  std::string data;
  std::string statements, file;
  std::string output = "table";
  SqlLogin login;
};
int run_sql(SqlOptions options);

struct JobOptions {
  std::string data;
  std::string argument;
};
int run_job(const JobOptions& options, const std::string& action);

int run_status(const std::string& data);
int run_doctor(const std::string& data);

struct TourOptions {
  std::string data;
  std::string sample;
};
int run_tour(const TourOptions& options);

}  // namespace aichemy::app
