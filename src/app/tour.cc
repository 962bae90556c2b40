// `aichemy tour`: the package index of this Debian machine as events through the Kafka port, a job
// into an Iceberg table, and five questions in SQL: all through the ports that users have.
#include <fmt/core.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include "app/commands.h"

namespace aichemy::app {
namespace {

constexpr const char* kTopic = "tour-packages";

// One package of the index as the event it becomes.
struct Package {
  std::map<std::string, std::string> fields;
  int64_t number(const char* name) const {
    auto found = fields.find(name);
    return found == fields.end() ? 0 : std::strtoll(found->second.c_str(), nullptr, 10);
  }
  std::string text(const char* name) const {
    auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
};

// "libc6 (>= 2.34), libgcc-s1 | gcc" -> ["libc6", "libgcc-s1"]: the first of each alternative.
Json dependencies(const std::string& text) {
  Json out = Json::array();
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    size_t first = std::min(text.find_first_not_of(' ', at), end);
    size_t stop = std::min(text.find_first_of(" (|:,", first), end);
    if (stop > first) out.push(text.substr(first, stop - first));
    at = end + 1;
  }
  return out;
}

std::string event_of(const Package& package) {
  Json out;
  out.set("package", package.text("Package")).set("version", package.text("Version"));
  out.set("section", package.text("Section")).set("architecture", package.text("Architecture"));
  out.set("maintainer", package.text("Maintainer")).set("priority", package.text("Priority"));
  out.set("installed_kib", package.number("Installed-Size"))
      .set("download_bytes", package.number("Size"));
  out.set("depends", dependencies(package.text("Depends")))
      .set("description", package.text("Description"));
  return out.dump();
}

class PackageReader {
 public:
  explicit PackageReader(std::FILE* file) : file_(file) {}

  // False at the end.
  bool next(Package& package) {
    package.fields.clear();
    char* line = nullptr;
    size_t capacity = 0;
    ssize_t got = 0;
    while ((got = ::getline(&line, &capacity, file_)) > 0) {
      std::string_view text(line, static_cast<size_t>(got));
      while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
      if (text.empty()) {
        if (!package.fields.empty()) break;
        continue;
      }
      size_t colon = text.find(": ");
      if (text[0] != ' ' && colon != std::string_view::npos) {
        package.fields[std::string(text.substr(0, colon))] = text.substr(colon + 2);
      }
    }
    std::free(line);
    return !package.fields.empty();
  }

 private:
  std::FILE* file_;
};

void draw_bar(const std::string& what, double part, const std::string& note) {
  if (!::isatty(STDERR_FILENO)) return;
  int filled = static_cast<int>(std::clamp(part, 0.0, 1.0) * 30);
  fmt::print(stderr, "\r  {:<10} [{}{}] {:<30}", what,
             std::string(static_cast<size_t>(filled), '#'),
             std::string(static_cast<size_t>(30 - filled), '.'), note);
}

void end_bar() {
  if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r{:90}\r", "");
}

struct ProducerDeleter {
  void operator()(rd_kafka_t* producer) const { rd_kafka_destroy(producer); }
};

struct TopicDeleter {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};

Result<std::unique_ptr<rd_kafka_t, ProducerDeleter>> make_producer(const std::string& bootstrap,
                                                                   int64_t* failed) {
  rd_kafka_conf_t* config = rd_kafka_conf_new();
  std::array<char, 512> problem{};
  const char* settings[][2] = {{"bootstrap.servers", bootstrap.c_str()},
                               {"enable.idempotence", "true"},
                               {"linger.ms", "20"},
                               {"compression.type", "lz4"},
                               {"log_level", "3"}};
  for (const auto& [key, value] : settings) {
    if (rd_kafka_conf_set(config, key, value, problem.data(), problem.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(config);
      return fail(Code::internal, "kafka", problem.data());
    }
  }
  rd_kafka_conf_set_opaque(config, failed);
  rd_kafka_conf_set_dr_msg_cb(config,
                              [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
                                if (message->err) ++*static_cast<int64_t*>(opaque);
                              });
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, config, problem.data(), problem.size());
  if (!producer) return fail(Code::unavailable, "kafka", problem.data());
  return std::unique_ptr<rd_kafka_t, ProducerDeleter>(producer);
}

Result<int64_t> produce(const std::string& bootstrap, PackageReader& reader,
                        const std::string& run) {
  int64_t failed = 0;
  ASSIGN_OR_RETURN(auto producer, make_producer(bootstrap, &failed));
  std::unique_ptr<rd_kafka_topic_t, TopicDeleter> topic(
      rd_kafka_topic_new(producer.get(), kTopic, nullptr));
  int64_t sent = 0;
  Package package;
  while (reader.next(package)) {
    std::string key = package.text("Package");
    std::string event = event_of(package);
    event.insert(event.size() - 1, fmt::format(",\"run\":\"{}\"", run));
    for (;;) {
      int outcome = rd_kafka_produce(topic.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                     event.data(), event.size(), key.data(), key.size(), nullptr);
      rd_kafka_resp_err_t error = outcome == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return fail(Code::unavailable, "kafka", rd_kafka_err2str(error));
      rd_kafka_poll(producer.get(), 50);
    }
    if (++sent % 2000 == 0) {
      rd_kafka_poll(producer.get(), 0);
      draw_bar("events", static_cast<double>(sent) / 65'000, fmt::format("{} packages", sent));
    }
  }
  if (rd_kafka_flush(producer.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR || failed > 0) {
    return fail(Code::unavailable, "kafka", fmt::format("{} events were not acknowledged", failed));
  }
  end_bar();
  return sent;
}

struct Question {
  const char* text;
  const char* sql;  // {} is the run
};

constexpr Question kQuestions[] = {
    {"Which sections take the most room once installed?",
     "SELECT section, count(*) AS packages, sum(installed_kib) / 1024 AS installed_mib FROM "
     "tour.packages "
     "WHERE run = '{}' GROUP BY section ORDER BY installed_mib DESC LIMIT 5"},
    {"What does everything depend on?",
     "SELECT d.name, count(*) AS dependants FROM tour.packages p CROSS JOIN UNNEST(p.depends) AS "
     "d(name) "
     "WHERE p.run = '{}' GROUP BY d.name ORDER BY dependants DESC, d.name LIMIT 5"},
    {"Who maintains the most packages?",
     "SELECT maintainer, count(*) AS packages, count(DISTINCT section) AS sections FROM "
     "tour.packages "
     "WHERE run = '{}' GROUP BY maintainer ORDER BY packages DESC, maintainer LIMIT 5"},
    {"Which package asks for the most others in each of the largest sections?",
     "SELECT section, package, needs FROM (SELECT section, package, cardinality(depends) AS needs, "
     "row_number() OVER (PARTITION BY section ORDER BY cardinality(depends) DESC, package) AS "
     "place "
     "FROM tour.packages WHERE run = '{}') WHERE place = 1 ORDER BY needs DESC, section LIMIT 5"},
    {"Which packages of section 'net' name a package of section 'python'?",
     "SELECT n.package, count(*) AS python_packages FROM tour.packages n CROSS JOIN "
     "UNNEST(n.depends) AS d(name) "
     "JOIN tour.packages p ON p.package = d.name AND p.run = n.run WHERE n.run = '{}' AND "
     "n.section = 'net' "
     "AND p.section = 'python' GROUP BY n.package ORDER BY python_packages DESC, n.package LIMIT "
     "5"},
};

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS iceberg.tour.packages (run varchar, package varchar, version "
    "varchar, section varchar, "
    "architecture varchar, maintainer varchar, priority varchar, installed_kib bigint, "
    "download_bytes bigint, "
    "depends array(varchar), description varchar, event_time timestamp(6) with time zone) "
    "WITH (partitioning = ARRAY['section'])";

constexpr const char* kJob =
    "CREATE TABLE packages (run STRING, package STRING NOT NULL, version STRING, section STRING, "
    "architecture STRING, "
    "maintainer STRING, priority STRING, installed_kib BIGINT, download_bytes BIGINT, depends "
    "ARRAY<STRING>, "
    "description STRING, event_time TIMESTAMP_LTZ(6) METADATA FROM 'timestamp') "
    "WITH ('connector' = 'kafka', 'topic' = 'tour-packages', 'format' = 'json', "
    "'scan.startup.mode' = 'earliest-offset');\n"
    "INSERT INTO iceberg.tour.packages SELECT run, package, version, section, architecture, "
    "maintainer, priority, "
    "installed_kib, download_bytes, depends, description, event_time FROM packages;";

class Tour {
 public:
  Tour(Json ready, const std::string& data) : ready_(std::move(ready)), sql_(login(ready_, data)) {}

  Status run(PackageReader& reader) {
    auto began = std::chrono::steady_clock::now();
    std::string run = fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(
                                            std::chrono::system_clock::now().time_since_epoch())
                                            .count());
    RETURN_IF_ERROR(sql_.run("CREATE SCHEMA IF NOT EXISTS iceberg.tour"));
    RETURN_IF_ERROR(sql_.run(kTable));
    RETURN_IF_ERROR(ensure_job());
    ASSIGN_OR_RETURN(int64_t sent,
                     produce(std::string(ready_["events"]["bootstrap"].as_string()), reader, run));
    auto produced = std::chrono::steady_clock::now();
    fmt::print("1. {} packages became events on topic {} in {:.1f} s (Kafka, {}).\n", sent, kTopic,
               seconds(produced - began), ready_["events"]["bootstrap"].as_string());
    RETURN_IF_ERROR(wait_for_rows(run, sent));
    fmt::print(
        "2. A job wrote them to iceberg.tour.packages, partitioned by section; all visible {:.1f} "
        "s later.\n\n",
        seconds(std::chrono::steady_clock::now() - produced));
    for (const Question& question : kQuestions) RETURN_IF_ERROR(ask(question, run));
    where_to_look_next();
    return {};
  }

 private:
  Json ready_;
  SqlClient sql_;

  static double seconds(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double>(time).count();
  }

  static SqlLogin login(const Json& ready, const std::string& data) {
    SqlLogin out;
    out.server = ready["sql"]["https"].as_string();
    out.user = ready["sql"]["user"].as_string();
    out.password = ready["sql"]["password"].as_string();
    out.certificate_file = data + "/tls/cert.pem";
    return out;
  }

  // The job of an earlier tour goes on; otherwise a new one starts.
  Status ensure_job() {
    HttpClient http;
    std::string rest(ready_["jobs"]["rest"].as_string());
    ASSIGN_OR_RETURN(HttpAnswer listed, http.request("GET", rest + "/v1/jobs", {}, ""));
    ASSIGN_OR_RETURN(Json jobs, Json::parse(listed.body));
    for (const Json& job : jobs["jobs"].as_array()) {
      if (job["name"].as_string() == "packages -> iceberg.tour.packages" &&
          job["state"].as_string() == "RUNNING")
        return {};
    }
    ASSIGN_OR_RETURN(HttpAnswer answer, http.request("POST", rest + "/v1/scripts", {}, kJob));
    if (answer.status == 200) return {};
    ASSIGN_OR_RETURN(Json error, Json::parse(answer.body));
    return fail(Code::unavailable, "job",
                std::string(error["error"]["message"].as_string("the job was refused")));
  }

  Status wait_for_rows(const std::string& run, int64_t wanted) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    std::string count = fmt::format("SELECT count(*) FROM tour.packages WHERE run = '{}'", run);
    for (;;) {
      ASSIGN_OR_RETURN(SqlRows rows, sql_.run(count));
      int64_t have = rows.rows.empty() ? 0 : rows.rows[0].as_array()[0].as_int();
      draw_bar("table",
               static_cast<double>(have) / static_cast<double>(std::max<int64_t>(1, wanted)),
               fmt::format("{} rows", have));
      if (have >= wanted) break;
      if (std::chrono::steady_clock::now() > until) {
        return fail(Code::timeout, "tour",
                    fmt::format("only {} of {} events arrived in the table; see 'aichemy job list'",
                                have, wanted));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    end_bar();
    return {};
  }

  Status ask(const Question& question, const std::string& run) {
    auto began = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(SqlRows rows, sql_.run(fmt::format(fmt::runtime(question.sql), run)));
    fmt::print("{} ({:.0f} ms)\n", question.text,
               seconds(std::chrono::steady_clock::now() - began) * 1000);
    for (const Json& row : rows.rows) {
      std::string line;
      for (const Json& value : row.as_array()) {
        line += (line.empty() ? "    " : "  ") +
                (value.is_string() ? std::string(value.as_string()) : value.dump());
      }
      fmt::print("{}\n", line);
    }
    fmt::print("\n");
    return {};
  }

  void where_to_look_next() {
    fmt::print(
        "Where to look next:\n"
        "  aichemy sql                       ask your own questions: SELECT * FROM tour.packages "
        "LIMIT 10;\n"
        "  aichemy job list                  the job is still running: produce to {} and ask "
        "again\n"
        "  {}   the same table for pyiceberg, Spark, Trino, DuckDB\n"
        "  {}   its Parquet files, in bucket warehouse\n",
        kTopic, ready_["iceberg_rest"]["uri"].as_string(), ready_["s3"]["endpoint"].as_string());
  }
};

}  // namespace

int run_tour(const TourOptions& options) {
  auto ready = find_platform(options.data);
  if (!ready) {
    fmt::print(stderr, "aichemy: {}\n", ready.error().message);
    return 1;
  }
  std::string sample = options.sample;
  bool has_apt = ::access("/usr/bin/apt-cache", X_OK) == 0;
  std::FILE* file = sample.empty() && has_apt ? ::popen("/usr/bin/apt-cache dumpavail", "r")
                                              : std::fopen(sample.c_str(), "r");
  if (!file) {
    fmt::print(stderr,
               "aichemy: this machine has no package index; name one with --sample "
               "(tests/data/packages.txt of the sources)\n");
    return 1;
  }
  PackageReader reader(file);
  Status done = Tour(std::move(*ready), options.data).run(reader);
  if (sample.empty()) {
    ::pclose(file);
  } else {
    std::fclose(file);
  }
  if (!done) {
    fmt::print(stderr, "aichemy: {}\n", done.error().message);
    return 1;
  }
  return 0;
}

}  // namespace aichemy::app
