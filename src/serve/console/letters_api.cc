// Records that jobs put aside: shown from their table, and sent to their topic once more.
#include <fmt/format.h>

#include <map>
#include <mutex>
#include <set>

#include "base/bytes.h"
#include "serve/console/handlers.h"
#include "wire/record_batch.h"

namespace aichemy::serve::console {
namespace {

constexpr int64_t kLettersMax = 500;
constexpr size_t kReplayMax = 200;
constexpr int kShownBase64 = 5464;  // 4,098 bytes
constexpr size_t kPageBytes = 4 << 20;

// Where a letter was: topic, partition, offset.
using Source = std::tuple<std::string, int32_t, int64_t>;

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) out.append(c == quote ? 2 : 1, c);
  return out + quote;
}

// The table of a job's letters, as a statement names it.
Result<std::string> letters_table(Exchange& exchange) {
  jobs::Jobs* jobs = exchange.services().jobs;
  if (!jobs) {
    return fail(Code::unavailable, "jobs_off",
                "streaming jobs are switched off: jobs.enabled is false");
  }
  ASSIGN_OR_RETURN(auto job, jobs->find(exchange.path[0]));
  size_t dot = job.dead_table.rfind('.');
  return "iceberg." + quoted(job.dead_table.substr(0, dot), '"') + "." +
         quoted(job.dead_table.substr(dot + 1), '"');
}

// Each row of a statement, as the caller may run it.
Status each_row(Exchange& exchange, const std::string& statement,
                const std::function<Status(const Json::Array&)>& take) {
  sql::Session session;
  session.user = exchange.call.principal;
  session.source = "console";
  session.start = exchange.services().clock.wall_now();
  ASSIGN_OR_RETURN(auto result,
                   exchange.services().executor.execute(exchange.call, session, statement));
  for (bool done = !result.rows; !done;) {
    ASSIGN_OR_RETURN(sql::Page page, result.rows->next_page(kPageBytes));
    ASSIGN_OR_RETURN(Json rows, Json::parse(page.rows_json));
    for (const Json& row : rows.as_array()) RETURN_IF_ERROR(take(row.as_array()));
    done = page.done;
  }
  return {};
}

// Bytes that came as base64: text when they are UTF-8, but for a character that was cut off.
void put_bytes(Json& out, const std::string& name, const Json& cell) {
  bool text = false;
  if (cell.is_string()) {
    auto bytes = from_base64(cell.as_string());
    for (size_t cut = 0; bytes && cut < 4 && cut <= bytes->size() && !text; ++cut) {
      std::string_view whole(bytes->data(), bytes->size() - cut);
      text = is_valid_utf8(whole) && (cut == 0 || cell.as_string().size() == kShownBase64);
      if (text) out.set(name, whole);
    }
    if (!text) out.set(name, cell);
  }
  out.set(name + "_encoding", text || !cell.is_string() ? "text" : "base64");
}

Result<std::optional<std::string>> bytes_of(const Json& cell) {
  if (!cell.is_string()) return std::nullopt;
  ASSIGN_OR_RETURN(std::string bytes, from_base64(cell.as_string()));
  return bytes;
}

// The letters' table keeps no headers: they come from the topic while that has the record, which is
// known by its key and value: a topic of that name may have been made anew.
Result<std::string> batch_again(broker::Broker& broker, const Source& source, int64_t timestamp,
                                const std::optional<std::string>& key,
                                const std::optional<std::string>& value) {
  auto [topic, partition, offset] = source;
  std::string storage;
  std::vector<wire::RecordHeader> headers;
  auto bytes = broker.read(topic, partition, offset, 1);
  if (bytes && bytes->view().size() >= wire::kBatchHeaderBytes) {
    std::string_view rest = bytes->view();
    ASSIGN_OR_RETURN(auto header, wire::read_batch_header(rest));
    ASSIGN_OR_RETURN(auto records, wire::read_records(rest.substr(0, header.bytes()), storage));
    for (const wire::Record& record : records) {
      if (record.offset != offset || record.key != key || record.value != value) continue;
      ASSIGN_OR_RETURN(headers, wire::read_record_headers(record.headers));
    }
  }
  wire::BatchBuilder builder;
  builder.add(timestamp, key, value, headers);
  return builder.finish();
}

// Row: topic, partition, offset, milliseconds, key, value.
Result<Source> send_again(broker::Broker& broker, const Json::Array& row) {
  Source source{std::string(row[0].as_string()), static_cast<int32_t>(row[1].as_int()),
                row[2].as_int()};
  auto topic = broker.find_topic(std::get<0>(source));
  if (!topic)
    return fail(Code::not_found, "no_such_topic", "there is no topic " + std::get<0>(source));
  // The table is a table: anybody who may write to it could have put anything there.
  if (topic->internal)
    return fail(Code::denied, "internal_topic", topic->name + " belongs to the platform");
  ASSIGN_OR_RETURN(auto key, bytes_of(row[4]));
  ASSIGN_OR_RETURN(auto value, bytes_of(row[5]));
  ASSIGN_OR_RETURN(std::string batch, batch_again(broker, source, row[3].as_int(), key, value));
  RETURN_IF_ERROR(broker.append(std::get<0>(source), std::get<1>(source), std::move(batch)));
  return source;
}

// topic = 't' AND partition = 1 AND "offset" IN (1, 2), for each partition.
std::string condition(const std::set<Source>& sources) {
  std::map<std::pair<std::string, int32_t>, std::string> offsets;
  for (const auto& [topic, partition, offset] : sources) {
    std::string& list = offsets[{topic, partition}];
    list += (list.empty() ? "" : ", ") + std::to_string(offset);
  }
  std::string out;
  for (const auto& [place, list] : offsets) {
    out += fmt::format("{}(topic = {} AND partition = {} AND \"offset\" IN ({}))",
                       out.empty() ? "" : " OR ", quoted(place.first, '\''), place.second, list);
  }
  return out;
}

}  // namespace

Result<Answer> list_letters(Exchange& exchange) {
  ASSIGN_OR_RETURN(std::string table, letters_table(exchange));
  Json list = Json::array();
  auto take = [&](const Json::Array& row) -> Status {
    Json one;
    one.set("topic", row[0]).set("partition", row[1]).set("offset", row[2]);
    if (!row[3].is_null()) one.set("timestamp_millis", row[3]);
    put_bytes(one, "key", row[4]);
    put_bytes(one, "value", row[5]);
    one.set("value_bytes", row[6].as_int()).set("error", row[7].as_string());
    list.push(std::move(one));
    return {};
  };
  auto limit = std::clamp<int64_t>(exchange.number("limit", 100), 1, kLettersMax);
  Status read = each_row(
      exchange,
      fmt::format(
          "SELECT topic, partition, \"offset\", CAST(floor(to_unixtime(timestamp) * 1000) AS "
          "bigint), to_base64(key), substr(to_base64(value), 1, {}), length(value), error "
          "FROM {} ORDER BY timestamp DESC, 1, 2, 3 DESC LIMIT {}",
          kShownBase64, table, limit),
      take);
  auto total = static_cast<int64_t>(list.as_array().size());
  // By itself: beside the rows it would take all of them into memory.
  if (read && total == limit) {
    read =
        each_row(exchange, "SELECT count(*) FROM " + table, [&](const Json::Array& row) -> Status {
          total = row[0].as_int();
          return {};
        });
  }
  // The table is made with the first letter.
  if (!read && !read.error().is("TABLE_NOT_FOUND")) return std::unexpected(read.error());
  Json out;
  out.set("letters", std::move(list)).set("total", total);
  return Answer(std::move(out));
}

// Sent first, then taken out of the table: a crash between leaves a letter that was sent, never one
// that is lost.
Result<Answer> replay_letters(Exchange& exchange) {
  ASSIGN_OR_RETURN(std::string table, letters_table(exchange));
  std::set<Source> wanted, sent;
  for (const Json& letter : exchange.body["letters"].as_array()) {
    int64_t partition = letter["partition"].as_int();
    if (partition < 0 || partition > INT32_MAX)
      return fail(Code::invalid, "request", "there is no such partition");
    wanted.emplace(letter["topic"].as_string(), static_cast<int32_t>(partition),
                   letter["offset"].as_int());
  }
  if (wanted.empty() || wanted.size() > kReplayMax) {
    return fail(Code::invalid, "request",
                fmt::format("1 to {} letters are sent at a time", kReplayMax));
  }
  // Two at once would both send; and whoever may not delete would send at every click.
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  auto nothing = [](const Json::Array&) -> Status { return {}; };
  RETURN_IF_ERROR(
      each_row(exchange, fmt::format("DELETE FROM {} WHERE \"offset\" = -1", table), nothing));
  broker::Broker& broker = exchange.services().broker;
  auto take = [&](const Json::Array& row) -> Status {
    ASSIGN_OR_RETURN(Source source, send_again(broker, row));
    sent.insert(std::move(source));
    return {};
  };
  Status done = each_row(
      exchange,
      fmt::format("SELECT DISTINCT topic, partition, \"offset\", CAST(floor(to_unixtime(timestamp) "
                  "* 1000) AS bigint), to_base64(key), to_base64(value) FROM {} WHERE {} ORDER BY "
                  "1, 2, 3",
                  table, condition(wanted)),
      take);
  if (!sent.empty()) {
    RETURN_IF_ERROR(each_row(
        exchange, fmt::format("DELETE FROM {} WHERE {}", table, condition(sent)), nothing));
  }
  if (!done) return std::unexpected(done.error());
  if (sent.empty())
    return fail(Code::not_found, "no_such_letter", "none of these records is put aside any more");
  return Answer(Json().set("sent", static_cast<int64_t>(sent.size())));
}

}  // namespace aichemy::serve::console
