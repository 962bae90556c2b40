#include "app/memory_trimmer.h"

#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <ctime>

#include "runtime/process.h"

namespace aichemy::app {
namespace {

std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

bool TrimPolicy::wants(uint64_t resident_bytes, std::chrono::nanoseconds cpu, SteadyTime now) {
  auto passed = std::chrono::duration<double>(now - looked_).count();
  bool quiet = std::chrono::duration<double>(cpu - cpu_).count() < kQuiet * passed;
  looked_ = now;
  cpu_ = cpu;
  floor_ = floor_ == 0 ? resident_bytes : std::min(floor_, resident_bytes);
  return resident_bytes >= floor_ + kGrowthBytes && (quiet || now - trimmed_ >= kLatest);
}

void TrimPolicy::trimmed(uint64_t resident_bytes, SteadyTime now) {
  floor_ = resident_bytes;
  trimmed_ = now;
}

MemoryTrimmer::MemoryTrimmer(Clock& clock)
    : clock_(clock), thread_([this](const std::stop_token& stop) { run(stop); }) {}

MemoryTrimmer::~MemoryTrimmer() = default;

void MemoryTrimmer::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "memory-trim");
  TrimPolicy policy;
  policy.trimmed(resident_bytes(), clock_.steady_now());
  std::unique_lock lock(mutex_);
  for (;;) {
    stopped_.wait_for(lock, stop, TrimPolicy::kLookEvery, [] { return false; });
    if (stop.stop_requested()) return;
    if (!policy.wants(resident_bytes(), cpu_time(), clock_.steady_now())) continue;
    ::malloc_trim(0);
    policy.trimmed(resident_bytes(), clock_.steady_now());
  }
}

}  // namespace aichemy::app
