// The commands that talk to a running platform or look at its data directory. Each returns the
// process' exit code.
#pragma once

#include <string>

#include "app/api_client.h"
#include "app/client_session.h"

namespace aichemy::app {

enum class UserAction : uint8_t { add, passwd, remove, list, access_key };
struct UserOptions {
  std::string data;
  UserAction action = UserAction::list;
  std::string name;
  std::string password, role;
  ApiLogin login;
};
// Asks the platform that runs on the data directory, as an admin; where none runs, it changes
// secrets/users.
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
  ApiLogin login;
};
int run_job(const JobOptions& options, const std::string& action);

struct TopicOptions {
  std::string data;
  std::string name;
  int64_t partitions = 0, copies = 0;  // 0: as the platform's default
  std::vector<std::string> settings;   // name=value
  ApiLogin login;
};
int run_topic(const TopicOptions& options, const std::string& action);

int run_status(const std::string& data);
int run_doctor(const std::string& data);

struct TourOptions {
  std::string data;
  std::string sample;
};
int run_tour(const TourOptions& options);

}  // namespace aichemy::app
