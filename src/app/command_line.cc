#include "app/command_line.h"

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/config.h"
#include "app/data_directory.h"
#include "app/metastore_command.h"
#include "app/sql_output.h"
#include "app/up.h"
#include "serve/console/console_service.h"

namespace aichemy::app {
namespace {

// Options that several commands share.
void add_data(CLI::App* command, std::string& data) {
  data = default_data_path();
  command->add_option("--data", data, "Data directory")->capture_default_str();
}

void add_login(CLI::App* command, ApiLogin& login, const char* user, const char* password) {
  command->add_option(user, login.user, "Who asks, if the well-known password was changed");
  command->add_option(password, login.password, "Of who asks");
}

void add_up(CLI::App& app, UpOptions& options, int& code) {
  CLI::App* up = app.add_subcommand("up", "Run the platform in the foreground");
  up->add_option("--data", options.data, "Data directory (default: " + default_data_path() + ")");
  up->add_option("--config", options.config_file, "aichemy.yaml");
  up->add_option("--ready-file", options.ready_file,
                 "Write addresses as JSON here once everything answers");
  up->add_option("--set", options.settings, "key=value (docs/config.md), repeatable")
      ->allow_extra_args(false);
  up->add_option_function<std::string>(
        "--ports", [&](const std::string& how) { options.any_ports = how == "auto"; },
        "default, or auto: take any free ones")
      ->check(CLI::IsMember({"default", "auto"}));
  up->add_flag("--allow-default-passwords", options.allow_default_passwords,
               "Listen beyond loopback although well-known passwords are unchanged");
  up->callback([&] { code = run_up(options); });
}

void add_user(CLI::App& app, UserOptions& options, int& code) {
  CLI::App* user = app.add_subcommand("user", "People and their passwords");
  user->require_subcommand(1);
  add_data(user, options.data);
  // --password is that of the user who is changed.
  add_login(user, options.login, "--admin", "--admin-password");
  auto add = [&](const char* name, const char* what, UserAction action) {
    CLI::App* command = user->add_subcommand(name, what);
    command->callback([&options, &code, action] {
      options.action = action;
      code = run_user(options);
    });
    return command;
  };
  for (auto [name, what, action] :
       {std::tuple{"add", "Add a user", UserAction::add},
        std::tuple{"passwd", "Change a password", UserAction::passwd}}) {
    CLI::App* command = add(name, what, action);
    command->add_option("name", options.name, "User")->required();
    command->add_option("--password", options.password,
                        "Otherwise asked for, or read from standard input");
    command->add_option("--role", options.role, "In the console")
        ->check(CLI::IsMember({"viewer", "operator", "admin"}));
  }
  add("remove", "Remove a user", UserAction::remove)
      ->add_option("name", options.name, "User")
      ->required();
  add("list", "List users", UserAction::list);
  CLI::App* key = add("access-key", "Add or change an S3 access key", UserAction::access_key);
  key->add_option("id", options.name, "Access key")->required();
  key->add_option("secret", options.password, "Secret key")->required();
}

void add_sql(CLI::App& app, SqlOptions& options, int& code) {
  CLI::App* sql = app.add_subcommand("sql", "Ask in SQL: a terminal, or -e and -f for scripts");
  add_data(sql, options.data);
  sql->add_option("-e,--execute", options.statements,
                  "Run these statements (separated by ';') and end");
  sql->add_option("-f,--file", options.file, "Run the statements of a file and end");
  sql->add_option("--server", options.login.server, "Another server: https://host:port");
  sql->add_option("--user", options.login.user, "User");
  sql->add_option("--password", options.login.password, "Password");
  sql->add_option("--catalog", options.login.catalog, "Catalog")->capture_default_str();
  sql->add_option("--schema", options.login.schema, "Schema");
  sql->add_option("--output", options.output, sql_output_names())->capture_default_str();
  sql->add_flag("--insecure", options.login.insecure, "Accept any certificate");
  sql->callback([&] { code = run_sql(options); });
}

void add_job(CLI::App& app, JobOptions& job, int& code) {
  CLI::App* jobs = app.add_subcommand("job", "Streaming jobs: list, submit, pause, resume, stop");
  jobs->require_subcommand(1);
  add_data(jobs, job.data);
  add_login(jobs, job.login, "--user", "--password");
  jobs->add_subcommand("list", "List jobs")->callback([&] { code = run_job(job, "list"); });
  CLI::App* submit = jobs->add_subcommand("submit", "Run a Flink SQL script");
  submit->add_option("file", job.argument, "Script, or - for standard input")->required();
  submit->callback([&] { code = run_job(job, "submit"); });
  for (const char* action : {"pause", "resume", "stop"}) {
    CLI::App* command = jobs->add_subcommand(action, std::string(action) + " a job");
    command->add_option("job", job.argument, "Id or name")->required();
    command->callback([&job, &code, action] { code = run_job(job, action); });
  }
}

void add_topic(CLI::App& app, TopicOptions& topic, int& code) {
  CLI::App* topics = app.add_subcommand("topic", "Topics: list, create, delete");
  topics->require_subcommand(1);
  add_data(topics, topic.data);
  add_login(topics, topic.login, "--user", "--password");
  CLI::App* list = topics->add_subcommand("list", "List topics");
  list->add_option("text", topic.name, "Only those whose names hold it");
  list->callback([&] { code = run_topic(topic, "list"); });
  CLI::App* create = topics->add_subcommand("create", "Make a topic");
  create->add_option("name", topic.name, "Topic")->required();
  create->add_option("--partitions", topic.partitions, "Otherwise the platform's default");
  create->add_option("--copies", topic.copies, "1 or 2");
  create->add_option("--config", topic.settings, "name=value, repeatable")
      ->allow_extra_args(false);
  create->callback([&] { code = run_topic(topic, "create"); });
  CLI::App* drop = topics->add_subcommand("delete", "Remove a topic and its messages");
  drop->add_option("name", topic.name, "Topic")->required();
  drop->callback([&] { code = run_topic(topic, "delete"); });
}

void add_metastore(CLI::App& app, MetastoreOptions& options, int& code) {
  CLI::App* metastore = app.add_subcommand(
      "metastore", "Names from and to a Hive Metastore's database (docs/metastore.md)");
  metastore->require_subcommand(1);
  add_data(metastore, options.data);
  metastore->add_option("--config", options.config_file, "aichemy.yaml");
  metastore->add_option("--set", options.settings, "key=value (docs/config.md), repeatable")
      ->allow_extra_args(false);
  auto add = [&](const char* name, const char* what, const char* address, bool is_export) {
    CLI::App* command = metastore->add_subcommand(name, what);
    command->add_option(address, options.uri, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        ->required();
    command->add_option("--database", options.transfer.databases, "Only this one, repeatable")
        ->allow_extra_args(false);
    command->add_flag("--replace", options.transfer.replace, "Overwrite what differs");
    command->add_flag("--dry-run", options.transfer.dry_run, "Only say what would be done");
    command->callback([&options, &code, is_export] {
      options.is_export = is_export;
      code = run_metastore(options);
    });
  };
  add("import", "Databases, tables, partitions, statistics and functions into ours", "--from",
      false);
  add("export", "Ours into a Hive Metastore's database", "--to", true);
}

}  // namespace

int run_command_line(int count, char** arguments) {
  CLI::App app{"AIchemy: object store, events, tables, SQL and jobs in one process"};
  app.set_version_flag("--version", "aichemy " AICHEMY_VERSION);
  app.require_subcommand(1);
  int code = 0;
  UpOptions up;
  UserOptions user;
  SqlOptions sql;
  JobOptions job;
  TopicOptions topic;
  TourOptions tour;
  MetastoreOptions metastore;
  std::string data;
  add_up(app, up, code);
  add_user(app, user, code);
  add_sql(app, sql, code);
  add_metastore(app, metastore, code);

  add_job(app, job, code);
  add_topic(app, topic, code);

  CLI::App* status = app.add_subcommand("status", "What runs, and how well");
  add_data(status, data);
  status->callback([&] { code = run_status(data); });
  CLI::App* doctor =
      app.add_subcommand("doctor", "Look for what would keep the platform from running well");
  add_data(doctor, data);
  doctor->callback([&] { code = run_doctor(data); });
  CLI::App* guide =
      app.add_subcommand("tour", "Real events through the whole platform, and five questions");
  add_data(guide, tour.data);
  guide->add_option("--sample", tour.sample, "Package index to read instead of this machine's");
  guide->callback([&] { code = run_tour(tour); });
  app.add_subcommand("config-document", "Print docs/config.md")->group("")->callback([] {
    std::fputs(config_document().c_str(), stdout);
  });

  app.add_subcommand("console-api", "Print docs/api/openapi.json")->group("")->callback([] {
    std::puts(serve::console::api_document(AICHEMY_VERSION).dump_pretty().c_str());
  });

  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  }
  return code;
}

}  // namespace aichemy::app
