// Any bytes as a segment and as a checkpoint: the partition opens, and reads what it took for good.
#include <cstdlib>

#include "base/log.h"
#include "broker/offsets.h"
#include "broker/partition.h"
#include "runtime/fault_disk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace aichemy;
  configure_log(LogLevel::off, LogFormat::human);
  std::string_view all(reinterpret_cast<const char*>(data), size);
  std::string_view segment = all.substr(0, size / 2);
  std::string_view checkpoint = all.substr(size / 2);
  (void)broker::decode_offset_key(all);
  (void)broker::decode_offset_value(all);
  FaultDisk disk(1);
  FakeClock clock;
  if (!disk.make_directories("/p") || !disk.replace_file(broker::segment_path("/p", 0), segment) ||
      !disk.replace_file("/p/checkpoint", checkpoint)) {
    std::abort();
  }
  broker::Partition::Options options;
  options.topic = "t";
  options.directories[0] = "/p";
  auto partition = broker::Partition::open(options, disk, clock);
  if (!partition) return 0;
  for (int64_t offset = (*partition)->log_start(); offset < (*partition)->high_watermark();) {
    auto found = (*partition)->read(offset, 1000);
    if (!found || found->slice.bytes == 0) break;
    offset += 1 + (*partition)->high_watermark() / 16;
  }
  (void)(*partition)->find_timestamp(5);
  return 0;
}
