#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <latch>

#include "base/log.h"
#include "runtime/disk.h"
#include "runtime/fault_disk.h"
#include "runtime/io.h"
#include "runtime/pool.h"

namespace aichemy {
namespace {

TEST(Pool, RefusesWhenFullAndFinishesAccepted) {
  Pool pool({.name = "test", .threads = 1, .queue_max = 1});
  std::latch started(1);
  std::latch release(1);
  std::atomic<int> ran = 0;
  ASSERT_TRUE(pool.post([&] {
    started.count_down();
    release.wait();
    ++ran;
  }));
  started.wait();
  ASSERT_TRUE(pool.post([&] { ++ran; }));
  EXPECT_EQ(pool.post([&] { ++ran; }).error().code, Code::exhausted);
  release.count_down();
  pool.stop();
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(pool.post([] {}).error().code, Code::cancelled);
}

TEST(Io, BridgeReturnsValuesAndRefusals) {
  IoThreads io(1);
  Pool pool({.name = "test", .threads = 2, .queue_max = 8});
  auto run = [&]() -> Async<int> {
    Result<int> value = co_await on(pool, []() -> Result<int> { return 41; });
    co_return value.value() + 1;
  };
  EXPECT_EQ(asio::co_spawn(io.loop(0), run(), asio::use_future).get(), 42);
  pool.stop();
  auto refused = [&]() -> Async<Code> {
    Status status = co_await on(pool, []() -> Status { return {}; });
    co_return status.error().code;
  };
  EXPECT_EQ(asio::co_spawn(io.loop(0), refused(), asio::use_future).get(), Code::cancelled);
}

class PosixDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/aichemy-disk-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  void TearDown() override { ASSERT_TRUE(disk_.remove_all(root_)); }
  PosixDisk disk_;
  std::string root_;
};

TEST_F(PosixDiskTest, ReadsWhatItWrote) {
  ASSERT_TRUE(disk_.make_directories(root_ + "/a/b"));
  auto file = disk_.open(root_ + "/a/b/f", OpenMode::create_new).value();
  ASSERT_TRUE(file->write_parts_at(0, {"hello", "", " ", "world"}));
  char raw[32];
  EXPECT_EQ(file->read_at(6, raw, sizeof raw).value(), 5u);
  EXPECT_EQ(std::string(raw, 5), "world");
  EXPECT_EQ(disk_.open(root_ + "/a/b/f", OpenMode::create_new).error().code, Code::exists);
  EXPECT_EQ(disk_.open(root_ + "/none", OpenMode::read).error().code, Code::not_found);
  ASSERT_TRUE(disk_.replace_file(root_ + "/a/b/f", "new"));
  EXPECT_EQ(disk_.read_file(root_ + "/a/b/f").value(), "new");
  EXPECT_EQ(disk_.list(root_ + "/a/b").value().size(), 1u);
}

TEST(FaultDisk, ForgetsWhatWasNotSynced) {
  FaultDisk disk(1);
  ASSERT_TRUE(disk.make_directories("/d"));
  auto file = disk.open("/d/f", OpenMode::create).value();
  ASSERT_TRUE(file->write_at(0, "synced"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk.sync_directory("/d"));
  auto lost = disk.open("/d/g", OpenMode::create).value();
  ASSERT_TRUE(lost->sync());
  disk.crash();
  EXPECT_EQ(disk.read_file("/d/f").value(), "synced");
  EXPECT_FALSE(disk.exists("/d/g").value()) << "its name was never synced";
  EXPECT_EQ(file->sync().error().code, Code::unavailable);
}

TEST(FaultDisk, ReplaceFileIsAtomicAtEveryFault) {
  for (int n = 0;; ++n) {
    FaultDisk disk(static_cast<uint64_t>(n));
    ASSERT_TRUE(disk.make_directories("/d"));
    ASSERT_TRUE(disk.replace_file("/d/f", "old"));
    int64_t before = disk.calls();
    disk.fail_call(n);
    Status status = disk.replace_file("/d/f", "new");
    bool finished = disk.calls() - before <= n;
    disk.crash();
    std::string contents = disk.read_file("/d/f").value();
    if (status) {
      EXPECT_EQ(contents, "new");
    } else {
      EXPECT_TRUE(contents == "old" || contents == "new") << contents;
    }
    if (finished) break;
  }
}

}  // namespace
}  // namespace aichemy
