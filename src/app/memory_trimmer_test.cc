#include "app/memory_trimmer.h"

#include <gtest/gtest.h>

#include "runtime/process.h"

namespace aichemy::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TrimPolicyTest, WaitsForGrowthAndQuietOrAMinute) {
  constexpr uint64_t kMiB = 1 << 20;
  TrimPolicy policy;
  SteadyTime start{seconds(1000)};
  policy.trimmed(100 * kMiB, start);
  struct Row {
    int second;         // since the start
    uint64_t resident;  // MiB
    milliseconds cpu;   // in all
    bool wanted;
    const char* why;
  };
  for (const Row& row : {
           Row{5, 120, milliseconds(100), false, "has not grown"},
           Row{10, 400, milliseconds(5100), false, "grew, and is busy"},
           Row{15, 400, milliseconds(5200), true, "grew, and is quiet"},
           Row{20, 90, milliseconds(5300), false, "shrank by itself: counts from there"},
           Row{25, 155, milliseconds(5400), true, "64 MiB more than then"},
           Row{30, 500, milliseconds(12000), false, "busy"},
           Row{62, 500, milliseconds(40000), true, "busy, and a minute has passed"},
       })
    EXPECT_EQ(policy.wants(row.resident * kMiB, row.cpu, start + seconds(row.second)), row.wanted)
        << row.why;
  policy.trimmed(300 * kMiB, start + seconds(62));
  EXPECT_FALSE(policy.wants(350 * kMiB, milliseconds(40100), start + seconds(67)));
}

TEST(MemoryTrimmerTest, StopsAtOnce) {
  SystemClock clock;
  auto before = clock.steady_now();
  {
    MemoryTrimmer trimmer(clock);
  }
  EXPECT_LT(clock.steady_now() - before, TrimPolicy::kLookEvery);
  EXPECT_GT(resident_bytes(), 0u);
}

}  // namespace
}  // namespace aichemy::app
