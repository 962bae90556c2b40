#include "app/commands.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "auth/access_keys.h"
#include "auth/roles.h"
#include "auth/users.h"
#include "base/bytes.h"
#include "runtime/disk.h"

namespace aichemy::app {
namespace {

int explain(const Error& error) {
  fmt::print(stderr, "aichemy: {}\n", error.message);
  return error.code == Code::invalid ? 2 : 1;
}

std::string ask_password(const std::string& name) {
  bool terminal = ::isatty(STDIN_FILENO) != 0;
  termios before{};
  if (terminal) {
    fmt::print(stderr, "New password for {}: ", name);
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    fmt::print(stderr, "\n");
  }
  return line;
}

std::string new_password(const UserOptions& options) {
  return options.password.empty() ? ask_password(options.name) : options.password;
}

std::unexpected<Error> user_exists(const std::string& name) {
  return fail(Code::exists, "user_exists",
              fmt::format("user {} exists; 'user passwd' changes the password", name));
}

std::unexpected<Error> no_such_user(const std::string& name) {
  return fail(Code::not_found, "no_such_user", fmt::format("there is no user {}", name));
}

Status status_of(const Result<Json>& answer) {
  if (answer) return {};
  return std::unexpected(answer.error());
}

// Where no platform runs: its files.
Status change_user_files(const UserOptions& options) {
  PosixDisk disk;
  SystemRandom random;
  RETURN_IF_ERROR(disk.make_directories(options.data + "/secrets"));
  if (options.action == UserAction::access_key) {
    ASSIGN_OR_RETURN(auto keys,
                     auth::AccessKeys::open(disk, options.data + "/secrets/access_keys"));
    return keys->set({options.name, options.password, "admin"});
  }
  ASSIGN_OR_RETURN(auto users,
                   auth::UserStore::open(disk, random, options.data + "/secrets/users"));
  switch (options.action) {
    case UserAction::list:
      for (const std::string& name : users->names()) fmt::print("{}\n", name);
      return {};
    case UserAction::remove: return users->remove(options.name);
    case UserAction::add:
      if (users->has(options.name)) return user_exists(options.name);
      break;
    case UserAction::passwd:
      if (!users->has(options.name)) return no_such_user(options.name);
      break;
    case UserAction::access_key: break;
  }
  RETURN_IF_ERROR(users->set_password(options.name, new_password(options)));
  if (options.role.empty()) return {};
  ASSIGN_OR_RETURN(auto roles, auth::RoleStore::open(disk, options.data + "/secrets/roles"));
  return roles->set(options.name, options.role);
}

bool has_user(const Json& list, const std::string& name) {
  for (const Json& user : list["users"].as_array()) {
    if (user["name"].as_string() == name) return true;
  }
  return false;
}

// A running platform has the files in its memory: it is asked.
Status change_users_of(ApiClient& api, const UserOptions& options) {
  std::string path = "/admin/users/" + percent_encode(options.name);
  if (options.action == UserAction::access_key) {
    Json key;
    key.set("id", options.name).set("secret", options.password);
    return status_of(api.request("POST", "/admin/access-keys", key));
  }
  if (options.action == UserAction::remove) return status_of(api.request("DELETE", path));
  ASSIGN_OR_RETURN(Json list, api.request("GET", "/admin/users"));
  if (options.action == UserAction::list) {
    for (const Json& user : list["users"].as_array())
      fmt::print("{:<24} {}\n", user["name"].as_string(), user["role"].as_string());
    return {};
  }
  bool known = has_user(list, options.name);
  if (known && options.action == UserAction::add) return user_exists(options.name);
  if (!known && options.action == UserAction::passwd) return no_such_user(options.name);
  Json change;
  change.set("password", new_password(options));
  if (!options.role.empty()) change.set("role", options.role);
  return status_of(api.request("PUT", path, change));
}

Status change_users(const UserOptions& options) {
  if (!find_platform(options.data)) return change_user_files(options);
  ASSIGN_OR_RETURN(ApiClient api, ApiClient::open(options.data, options.login));
  return change_users_of(api, options);
}

Result<Json> get_json(const std::string& method, const std::string& url,
                      const std::string& body = {}) {
  HttpClient http;
  ASSIGN_OR_RETURN(HttpAnswer answer, http.request(method, url, {}, body));
  ASSIGN_OR_RETURN(Json json, Json::parse(answer.body));
  if (answer.status < 400) return json;
  return fail(answer.status == 404 ? Code::not_found : Code::invalid, "server",
              std::string(json["error"]["message"].as_string("the server refused")));
}

void print_jobs(const Json& jobs) {
  fmt::print("{:<34} {:<9} {:>8} {:>10} {:>6} {:>8}  {}\n", "id", "state", "epoch", "records",
             "dead", "lag", "name");
  for (const Json& job : jobs.as_array()) {
    fmt::print("{:<34} {:<9} {:>8} {:>10} {:>6} {:>8}  {}\n", job["id"].as_string(),
               job["state"].as_string(), job["epoch"].as_int(), job["records"].as_int(),
               job["dead_records"].as_int(), job["lag"].as_int(), job["name"].as_string());
    if (!job["error"].as_string().empty()) fmt::print("    {}\n", job["error"].as_string());
  }
}

void print_upkeep(const Json& upkeep) {
  if (upkeep.is_null()) return fmt::print("upkeep: off (upkeep.enabled)\n");
  fmt::print(
      "upkeep: {} tables, {} files rewritten, {} snapshots expired, {} files removed, {} given up "
      "for others\n",
      upkeep["tables"].as_int(), upkeep["rewritten_files"].as_int(),
      upkeep["expired_snapshots"].as_int(), upkeep["removed_files"].as_int(),
      upkeep["conflicts"].as_int());
  std::string_view now = upkeep["working_on"].as_string();
  if (!now.empty()) fmt::print("  working on {}\n", now);
  for (const Json& problem : upkeep["problems"].as_array())
    fmt::print("  {}: {}\n", problem["table"].as_string(), problem["message"].as_string());
}

Result<std::string> read_script(const std::string& name) {
  if (name == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(name);
  if (!file) return fail(Code::invalid, "file", fmt::format("{} cannot be read", name));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Status job_command(const JobOptions& options, const std::string& action) {
  ASSIGN_OR_RETURN(ApiClient api, ApiClient::open(options.data, options.login));
  if (action == "list") {
    ASSIGN_OR_RETURN(Json answer, api.request("GET", "/jobs"));
    print_jobs(answer["jobs"]);
  } else if (action == "submit") {
    ASSIGN_OR_RETURN(std::string script, read_script(options.argument));
    ASSIGN_OR_RETURN(Json answer, api.request("POST", "/jobs", Json().set("text", script)));
    Json started = Json::array();
    for (const Json& statement : answer["results"].as_array()) {
      if (statement["kind"].as_string() == "job") started.push(statement);
      if (statement["kind"].as_string() == "jobs") started = statement["jobs"];
    }
    print_jobs(started);
  } else {
    std::string path = "/jobs/" + percent_encode(options.argument);
    // Its id first: a job that is stopped has no name any more.
    ASSIGN_OR_RETURN(Json before, api.request("GET", path));
    path = "/jobs/" + std::string(before["job"]["id"].as_string());
    RETURN_IF_ERROR(status_of(api.request("POST", path + "/" + action)));
    ASSIGN_OR_RETURN(Json after, api.request("GET", path));
    print_jobs(Json::array().push(after["job"]));
  }
  return {};
}

// Every topic: the list comes in pieces.
Status list_topics(ApiClient& api, const std::string& search) {
  fmt::print("{:<44} {:>10} {:>6} {:>14} {:>14}  {}\n", "topic", "partitions", "copies", "messages",
             "bytes", "state");
  for (size_t seen = 0;;) {
    ASSIGN_OR_RETURN(Json page, api.request("GET", fmt::format("/topics?offset={}&search={}", seen,
                                                               percent_encode(search))));
    for (const Json& topic : page["topics"].as_array()) {
      fmt::print("{:<44} {:>10} {:>6} {:>14} {:>14}  {}\n", topic["name"].as_string(),
                 topic["partitions"].as_int(), topic["copies"].as_int(),
                 topic["messages"].as_int(), topic["bytes"].as_int(),
                 topic["healthy"].as_bool() ? "in sync" : "catching up");
    }
    size_t got = page["topics"].as_array().size();
    seen += got;
    if (got == 0 || seen >= static_cast<size_t>(page["total"].as_int())) return {};
  }
}

Status topic_command(const TopicOptions& options, const std::string& action) {
  Json config = Json::object();
  for (const std::string& setting : options.settings) {
    size_t equals = setting.find('=');
    if (equals == setting.npos || equals == 0)
      return fail(Code::invalid, "setting", fmt::format("'{}' is not name=value", setting));
    config.set(setting.substr(0, equals), setting.substr(equals + 1));
  }
  ASSIGN_OR_RETURN(ApiClient api, ApiClient::open(options.data, options.login));
  if (action == "list") return list_topics(api, options.name);
  if (action == "delete")
    return status_of(api.request("DELETE", "/topics/" + percent_encode(options.name)));
  Json topic;
  topic.set("name", options.name).set("config", std::move(config));
  if (options.partitions > 0) topic.set("partitions", options.partitions);
  if (options.copies > 0) topic.set("copies", options.copies);
  return status_of(api.request("POST", "/topics", topic));
}

Status print_status(const std::string& data) {
  ASSIGN_OR_RETURN(Json ready, find_platform(data));
  std::string metrics(ready["metrics"]["url"].as_string());
  if (metrics.empty())
    return fail(Code::unavailable, "metrics", "the status page is switched off (metrics.enabled)");
  ASSIGN_OR_RETURN(Json status, get_json("GET", metrics.substr(0, metrics.rfind('/')) + "/status"));
  fmt::print("AIchemy {}, process {}, data in {}\n", status["version"].as_string(),
             status["pid"].as_int(), data);
  const Json& store = status["object_store"];
  int64_t online = 0;
  for (const Json& drive : store["drives"].as_array()) online += drive["online"].as_bool();
  fmt::print("object store: {} of {} drives online (any {} are enough)\n", online,
             store["drives"].as_array().size(), store["data_drives"].as_int());
  for (const Json& drive : store["drives"].as_array()) {
    std::string_view problem = drive["problem"].as_string();
    fmt::print("  {} {}{}, {} GB free{}\n", drive["path"].as_string(),
               drive["online"].as_bool() ? "online" : "OFFLINE",
               problem.empty() ? "" : fmt::format(" ({})", problem),
               drive["free_bytes"].as_int() >> 30,
               drive["healing_objects"].as_int() > 0
                   ? fmt::format(", healing {} objects", drive["healing_objects"].as_int())
                   : "");
  }
  fmt::print("events: {} topics\n", status["events"]["topics"].as_int());
  for (const Json& copy : status["events"]["directories"].as_array()) {
    fmt::print("  {} {}\n", copy["path"].as_string(),
               copy["online"].as_bool() ? "online" : "OFFLINE");
  }
  if (!status["jobs"].as_array().empty()) print_jobs(status["jobs"]);
  print_upkeep(status["upkeep"]);
  return {};
}

}  // namespace

int run_user(const UserOptions& options) {
  Status done = change_users(options);
  return done ? 0 : explain(done.error());
}

int run_job(const JobOptions& options, const std::string& action) {
  Status done = job_command(options, action);
  return done ? 0 : explain(done.error());
}

int run_topic(const TopicOptions& options, const std::string& action) {
  Status done = topic_command(options, action);
  return done ? 0 : explain(done.error());
}

int run_status(const std::string& data) {
  Status done = print_status(data);
  return done ? 0 : explain(done.error());
}

int run_doctor(const std::string& data) {
  int problems = 0;
  auto check = [&](const char* what, bool fine, const std::string& advice) {
    fmt::print("{:<4} {}{}\n", fine ? "ok" : "BAD", what, fine ? "" : ": " + advice);
    problems += !fine;
  };
  PosixDisk disk;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  check("open files", files.rlim_max >= 4096, "raise the limit to 4096 at least (ulimit -n)");
  auto there = disk.exists(data);
  check("data directory", there.value_or(false),
        data + " does not exist yet; 'aichemy up' makes it");
  if (there.value_or(false)) {
    check("data directory is writable", ::access(data.c_str(), W_OK) == 0,
          "this user cannot write to " + data);
    auto free = disk.free_bytes(data);
    check("free space", free && *free > uint64_t{2} << 30,
          "less than 2 GB are free where " + data + " lies");
    for (int i = 0; i < 4; ++i) {
      std::string drive = fmt::format("{}/drives/{}", data, i);
      check(fmt::format("drive {}", i).c_str(), disk.exists(drive).value_or(false),
            drive + " is missing; writes have less redundancy");
    }
  }
  auto platform = find_platform(data);
  check("platform runs", platform.has_value(), platform ? "" : platform.error().message);
  if (platform) {
    std::string metrics((*platform)["metrics"]["url"].as_string());
    check("platform answers",
          get_json("GET", metrics.substr(0, metrics.rfind('/')) + "/status").has_value(),
          "its status page does not answer: look at its log");
  }
  return problems == 0 ? 0 : 1;
}

}  // namespace aichemy::app
