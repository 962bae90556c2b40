#include "app/config.h"

#include <gtest/gtest.h>

#include <fstream>

namespace aichemy::app {
namespace {

std::string write_file(const std::string& text) {
  std::string path = testing::TempDir() + "/aichemy-config-test.yaml";
  std::ofstream(path) << text;
  return path;
}

TEST(Config, LaterSourcesWin) {
  ConfigSources sources;
  sources.file = write_file(
      "s3:\n  port: 1\nsql.memory: 3GB\nevents: {port: 2}\njobs:\n  epoch_interval: 2s\n");
  sources.environment = {{"AICHEMY_EVENTS_PORT", "3"}, {"AICHEMY_ICEBERG_REST_PORT", "4"}};
  sources.settings = {"iceberg_rest.port=5"};
  auto config = Config::load(sources);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->port("s3.port"), 1);
  EXPECT_EQ(config->port("events.port"), 3);
  EXPECT_EQ(config->port("iceberg_rest.port"), 5);
  EXPECT_EQ(config->bytes("sql.memory"), uint64_t{3} << 30);
  EXPECT_EQ(config->millis("jobs.epoch_interval"), 2000);
  EXPECT_EQ(config->port("sql.https_port"), 8443);
  EXPECT_TRUE(config->flag("s3.enabled"));
}

TEST(Config, ErrorsNameKeyPlaceAndWhatIsAllowed) {
  struct Row {
    const char* yaml;
    const char* message;
  };
  for (Row row : {Row{"s3:\n  prot: 1\n", ":2: there is no key 's3.prot', did you mean 's3.port'"},
                  {"\ns3.port: many\n", ":2: s3.port = 'many' is not a port from 0"},
                  {"s3.port: 70000\n", "is not a port"},
                  {"s3.port: [1]\n", ":1: s3.port must be a single value"},
                  {"sql.memory: lots\n", "is not a size such as"},
                  {"s3.enabled: yes please\n", "is not true or false"},
                  {"metadata: mysql://u:secret@h/d\n", "is not sqlite or postgresql://"},
                  {"- a\n", "not a YAML map"},
                  {"a: b: c\n", ":1: "}}) {
    ConfigSources sources;
    sources.file = write_file(row.yaml);
    auto config = Config::load(sources);
    ASSERT_FALSE(config) << row.yaml;
    EXPECT_NE(config.error().message.find(row.message), std::string::npos)
        << config.error().message;
  }
  EXPECT_FALSE(Config::load({.file = "/nonexistent/aichemy.yaml"}));
  EXPECT_FALSE(Config::load({.settings = {"s3.port"}}));
}

TEST(Config, AnyPorts) {
  auto config = Config::load({.settings = {"s3.port=7"}, .any_ports = true});
  EXPECT_EQ(config->port("s3.port"), 7);
  EXPECT_EQ(config->port("sql.http_port"), 0);
}

// docs/config.md is generated: this test says when it is behind (aichemy config-document >
// docs/config.md).
TEST(Config, DocumentIsCurrent) {
  std::ifstream file(std::string(AICHEMY_GOLDEN_DIR) + "/../../docs/config.md");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, config_document());
}

TEST(Config, PasswordOfAStoreIsNotShown) {
  struct Case {
    const char *given, *shown;
  };
  for (Case row :
       {Case{"postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d"},
        {"postgresql://u:se@cret@h/d", "postgresql://u:***@h/d"},
        {"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
        {"postgresql:///d?password=secret&host=/run", "postgresql:///d?password=***&host=/run"},
        {"postgresql:///d?host=/run&password=secret", "postgresql:///d?host=/run&password=***"},
        {"postgresql:///d?sslpassword=a&password=b", "postgresql:///d?sslpassword=***&password=***"},
        {"sqlite", "sqlite"}}) {
    auto config = Config::load({.settings = {std::string("metadata=") + row.given}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->text("metadata"), row.given);
    for (const ConfigValue& value : config->list()) {
      if (value.name == "metadata") EXPECT_EQ(value.value, row.shown);
    }
  }
}

}  // namespace
}  // namespace aichemy::app
