// The Jobs page.
#include "serve/console/handlers.h"

namespace aichemy::serve::console {
namespace {

Result<jobs::Jobs*> jobs_of(Exchange& exchange) {
  if (exchange.services().jobs) return exchange.services().jobs;
  return fail(Code::unavailable, "jobs_off",
              "streaming jobs are switched off: jobs.enabled is false");
}

Json row_json(const jobs::JobInfo& job) {
  Json topics = Json::array();
  for (const auto& topic : job.topics) topics.push(topic);
  Json out = jobs::job_json(job);
  out.set("topics", std::move(topics)).set("table", job.table).set("dead_table", job.dead_table);
  return out;
}

// From the topics on: each operator says what reached it and what left it.
Json operators_json(const jobs::JobInfo& job) {
  const jobs::JobFigures& figures = job.figures;
  Json list = Json::array();
  auto add = [&](const char* id, std::string name, const char* input, uint64_t in, uint64_t out) {
    Json one;
    one.set("id", id).set("name", std::move(name));
    if (*input) one.set("input", input);
    one.set("records_in", in).set("records_out", out);
    return one;
  };
  std::string topics;
  for (const auto& topic : job.topics) topics += (topics.empty() ? "" : ", ") + topic;
  list.push(add("source", topics, "", figures.read_records, job.records)
                .set("bytes_in", figures.read_bytes));
  list.push(add("transform", "SELECT", "source", job.records, figures.written_records));
  list.push(add("sink", job.table, "transform", figures.written_records, figures.written_records)
                .set("bytes_out", figures.written_bytes)
                .set("files_out", figures.written_files));
  list.push(add("aside", job.dead_table, "source", job.dead_records, job.dead_records));
  return list;
}

Result<Answer> change(Exchange& exchange, Status (jobs::Jobs::*action)(const std::string&)) {
  ASSIGN_OR_RETURN(auto* jobs, jobs_of(exchange));
  RETURN_IF_ERROR((jobs->*action)(exchange.path[0]));
  return Answer(Json());
}

}  // namespace

Result<Answer> list_jobs(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto* jobs, jobs_of(exchange));
  Json list = Json::array();
  for (const auto& job : jobs->list()) list.push(row_json(job));
  return Answer(Json().set("jobs", std::move(list)));
}

Result<Answer> run_script(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto* jobs, jobs_of(exchange));
  ASSIGN_OR_RETURN(Json results,
                   jobs->run_script(exchange.call, std::string(exchange.body["text"].as_string())));
  return Answer(Json().set("results", std::move(results)));
}

Result<Answer> preview_job(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto* jobs, jobs_of(exchange));
  ASSIGN_OR_RETURN(auto preview, jobs->preview(exchange.call,
                                               std::string(exchange.body["text"].as_string())));
  Json columns = Json::array(), aside = Json::array(), head;
  for (const auto& [name, type] : preview.columns)
    columns.push(Json().set("name", name).set("type", type));
  for (const auto& event : preview.dead) {
    Json row;
    row.set("topic", event.topic).set("partition", event.partition).set("offset", event.offset);
    aside.push(row.set("error", event.error));
  }
  head.set("columns", std::move(columns)).set("total", preview.rows);
  head.set("records", preview.records).set("put_aside", preview.dead_records);
  head.set("misfits", std::move(aside));
  head.set("problem", preview.problem);
  std::string body = head.dump();
  body.pop_back();  // the closing brace
  return Answer::text(body + ",\"rows\":" + preview.rows_json + "}");
}

Result<Answer> get_job(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto* jobs, jobs_of(exchange));
  ASSIGN_OR_RETURN(auto job, jobs->find(exchange.path[0]));
  Json out;
  out.set("job", row_json(job)).set("source", job.source).set("insert", job.insert);
  const jobs::JobFigures& figures = job.figures;
  out.set("operators", operators_json(job)).set("epochs", figures.epochs);
  out.set("failures", figures.failures).set("epoch_millis", figures.epoch_millis);
  if (figures.handed_over_millis) out.set("handed_over_millis", figures.handed_over_millis);
  return Answer(std::move(out));
}

Result<Answer> pause_job(Exchange& exchange) { return change(exchange, &jobs::Jobs::pause); }
Result<Answer> resume_job(Exchange& exchange) { return change(exchange, &jobs::Jobs::resume); }
Result<Answer> stop_job(Exchange& exchange) { return change(exchange, &jobs::Jobs::stop_job); }

}  // namespace aichemy::serve::console
