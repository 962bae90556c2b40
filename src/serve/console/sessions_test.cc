#include "serve/console/sessions.h"

#include <gtest/gtest.h>

#include "runtime/fault_disk.h"

namespace aichemy::serve::console {
namespace {

struct SessionsTest : ::testing::Test {
  FaultDisk disk{1};
  FakeClock clock;
  SeededRandom random{7};
  std::unique_ptr<Sessions> open() {
    return *Sessions::open(disk, clock, random, "/data/secrets/sessions");
  }
};

TEST_F(SessionsTest, OutlivesARestartAndEndsInTime) {
  auto sessions = open();
  std::string token = *sessions->begin("ann");
  auto again = open();
  auto found = again->find(token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user, "ann");
  EXPECT_EQ(found->csrf, sessions->find(token)->csrf);
  EXPECT_NE(found->csrf, token);
  EXPECT_FALSE(again->find(token + "x"));
  clock.advance(Sessions::kLife + std::chrono::seconds(1));
  EXPECT_FALSE(again->find(token));
}

TEST_F(SessionsTest, SigningOutIsDurable) {  // I1
  auto sessions = open();
  std::string mine = *sessions->begin("ann");
  std::string other = *sessions->begin("ben");
  ASSERT_TRUE(sessions->end(mine));
  EXPECT_FALSE(open()->find(mine));
  ASSERT_TRUE(sessions->end_all_of("ben"));
  EXPECT_FALSE(open()->find(other));
}

TEST_F(SessionsTest, TheFileHoldsNoToken) {
  std::string token = *open()->begin("ann");
  EXPECT_EQ(disk.read_file("/data/secrets/sessions")->find(token), std::string::npos);
}

TEST_F(SessionsTest, FiveWrongPasswordsAreEnough) {  // I2
  auto sessions = open();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(sessions->check_attempts("ann"));
    sessions->count_failure("ann");
  }
  EXPECT_TRUE(sessions->check_attempts("ann").error().is("too_many_attempts"));
  EXPECT_TRUE(sessions->check_attempts("ben"));
  clock.advance(std::chrono::seconds(61));
  EXPECT_TRUE(sessions->check_attempts("ann"));
}

TEST_F(SessionsTest, ABrokenFileSignsEverybodyOut) {
  std::string token = *open()->begin("ann");
  ASSERT_TRUE(disk.replace_file("/data/secrets/sessions", "nonsense\n"));
  EXPECT_FALSE(open()->find(token));
}

}  // namespace
}  // namespace aichemy::serve::console
