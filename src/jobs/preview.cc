#include "jobs/preview.h"

#include <algorithm>

namespace aichemy::jobs {
namespace {

constexpr int64_t kRecordsMax = 200;  // of all partitions
constexpr uint64_t kBytesMax = 8u << 20;
constexpr uint64_t kPageBytes = 256u << 10;  // of rows that are shown
constexpr size_t kDeadShownMax = 20;

// The last records of each partition. Batches are read whole; records before the wanted ones are
// left out by the slice's bounds.
Result<std::shared_ptr<EventBatch>> last_records(broker::Broker& broker,
                                                 const JobDefinition& definition) {
  auto batch = std::make_shared<EventBatch>();
  batch->columns = definition.source.columns;
  std::vector<TopicPartition> places;
  for (const std::string& name : definition.options.topics) {
    if (auto topic = broker.find_topic(name)) {
      for (const auto& partition : topic->partitions) places.emplace_back(name, partition->index());
    }
  }
  auto count = static_cast<int64_t>(std::max<size_t>(1, places.size()));
  uint64_t left = kBytesMax;
  for (const TopicPartition& place : places) {
    if (left == 0) break;
    ASSIGN_OR_RETURN(auto bounds, broker.offsets(place.first, place.second));
    int64_t offset = std::max(bounds.start, bounds.end - std::max<int64_t>(1, kRecordsMax / count));
    if (offset >= bounds.end) continue;
    uint64_t share = std::min(left, kBytesMax / static_cast<uint64_t>(count) + 1);
    RETURN_IF_ERROR(read_partition(broker, place, offset, share, *batch));
    left = batch->bytes < kBytesMax ? kBytesMax - batch->bytes : 0;
  }
  return batch;
}

}  // namespace

Result<JobPreview> preview_job(const JobsOptions& options, const Call& call,
                               const JobDefinition& definition) {
  ASSIGN_OR_RETURN(auto batch, last_records(options.broker, definition));
  SourceConnector source(definition.source, options.event_scans);
  source.set_batch(batch);
  sql::Executor executor({.engine = options.engine,
                          .catalogs = {{kJobCatalog, &source}},
                          .clock = options.clock,
                          .random = options.random});
  sql::Session session;
  session.user = "aichemy";
  session.source = "job preview";
  session.catalog = kJobCatalog;
  session.schema = kJobSchema;
  session.start = options.clock.wall_now();
  ASSIGN_OR_RETURN(auto result, executor.execute(call, session, definition.insert.query));
  JobPreview out;
  for (const auto& column : result.columns)
    out.columns.emplace_back(column.name, column.type.display());
  // To the end, also when the first page is all that is shown: what does not fit is known then.
  for (bool done = !result.rows; !done;) {
    ASSIGN_OR_RETURN(sql::Page page, result.rows->next_page(kPageBytes));
    if (out.rows == 0 && page.rows > 0) out.rows_json = std::move(page.rows_json);
    out.rows += page.rows;
    done = page.done;
  }
  std::lock_guard lock(batch->mutex);
  out.dead_records = batch->dead.size();
  out.records = batch->records + out.dead_records;
  batch->dead.resize(std::min(batch->dead.size(), kDeadShownMax));
  out.dead = std::move(batch->dead);
  return out;
}

}  // namespace aichemy::jobs
