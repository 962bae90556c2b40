#include "objectstore/embedded_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/log.h"
#include "objectstore/checksum_set.h"
#include "objectstore/shard_file.h"
#include "runtime/fault_disk.h"

namespace aichemy::objectstore {
namespace {

namespace fs = std::filesystem;

std::string pattern(size_t bytes, uint64_t seed) {
  std::string text(bytes, '\0');
  SeededRandom random(seed);
  random.fill(text.data(), bytes);
  return text;
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    configure_log(std::getenv("AICHEMY_LOG") ? LogLevel::debug : LogLevel::off, LogFormat::human);
    char name[] = "/tmp/aichemy-store-XXXXXX";
    root_ = ::mkdtemp(name);
    start();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(root_);
  }
  std::string drive(int i) const { return root_ + "/drives/" + std::to_string(i); }
  void start() {
    store_.reset();
    EmbeddedStoreOptions options;
    for (int i = 0; i < 4; ++i) options.drives.push_back(drive(i));
    options.reserve_bytes = 1 << 20;
    options.background = false;
    auto started = EmbeddedStore::start(options, disk_, clock_, random_, metrics_);
    ASSERT_TRUE(started) << started.error().message;
    store_ = std::move(*started);
  }
  void expect_object(const std::string& key, const std::string& bytes) {
    auto got = store_->get(call_, "tables", key);
    ASSERT_TRUE(got) << key << ": " << got.error().message;
    EXPECT_TRUE(*got == bytes) << key << " has other bytes";
  }
  size_t shard_files(int i) const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(drive(i) + "/data"))
      count += entry.is_regular_file();
    return count;
  }

  std::string root_;
  PosixDisk disk_;
  SystemClock clock_;
  SeededRandom random_{7};
  Metrics metrics_;
  Call call_;
  std::unique_ptr<EmbeddedStore> store_;
};

// Around every boundary of the layout.
const size_t kSizes[] = {0,
                         1,
                         4096,
                         8 << 10,
                         (8 << 10) + 1,
                         (128 << 10) - 1,
                         128 << 10,
                         (128 << 10) + 1,
                         kPayloadBytesMax,
                         1 << 20,
                         kStripeBytes - 1,
                         kStripeBytes,
                         kStripeBytes + 1,
                         3 * kStripeBytes + 12345};

TEST_F(StoreTest, EverySizeComesBackWholeAndInRanges) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  for (size_t size : kSizes) {
    std::string key = "size/" + std::to_string(size);
    std::string bytes = pattern(size, size);
    auto info = store_->put(call_, "tables", key, bytes);
    ASSERT_TRUE(info) << size << ": " << info.error().message;
    EXPECT_EQ(info->etag, to_hex(digest(DigestKind::md5, bytes)));
    EXPECT_EQ(info->redundancy_lost, 0);
    expect_object(key, bytes);
    auto reader = store_->open(call_, "tables", key, {});
    ASSERT_TRUE(reader);
    SeededRandom random(size);
    for (int i = 0; i < 20 && size > 0; ++i) {
      size_t from = random.next() % size;
      size_t count = random.next() % (size - from) + 1;
      std::string range(count, '\0');
      auto got = (*reader)->read_at(from, range.data(), count);
      ASSERT_TRUE(got) << got.error().message;
      EXPECT_EQ(*got, count);
      EXPECT_TRUE(range == bytes.substr(from, count)) << size << " at " << from << "+" << count;
    }
  }
  start();
  for (size_t size : kSizes) expect_object("size/" + std::to_string(size), pattern(size, size));
}

std::vector<NewObject> objects_of(std::vector<std::pair<std::string, std::string>> given) {
  std::vector<NewObject> objects;
  for (auto& [key, bytes] : given) {
    PutOptions options;
    options.conditions.if_none_match = {"*"};
    objects.push_back({"tables", key, std::move(bytes), std::move(options)});
  }
  return objects;
}

TEST_F(StoreTest, ObjectsPutTogetherAreOneCommit) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  Counter& commits =
      metrics_.counter("aichemy_objectstore_commits_total", "Commits that were acknowledged");
  std::vector<std::pair<std::string, std::string>> given;
  for (size_t size : {0, 100, 8 << 10, 50'000, 300'000, 600'000})
    given.emplace_back("together/" + std::to_string(size), pattern(size, size + 1));
  auto before = commits.value();
  auto put = store_->put_all(call_, objects_of(given));
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(commits.value(), before + 1);
  for (const auto& [key, bytes] : given) expect_object(key, bytes);
  start();
  for (const auto& [key, bytes] : given) expect_object(key, bytes);
  EXPECT_TRUE(store_->put_all(call_, {}));

  // One that may not be written: none is, and no bytes stay.
  auto files = shard_files(0);
  auto refused = store_->put_all(call_, objects_of({{"new/small", "a"},
                                                    {"new/large", pattern(600'000, 3)},
                                                    {"together/100", "other"}}));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is("precondition_failed")) << refused.error().message;
  EXPECT_FALSE(store_->head(call_, "tables", "new/small", {}));
  EXPECT_FALSE(store_->head(call_, "tables", "new/large", {}));
  expect_object("together/100", given[1].second);
  EXPECT_EQ(shard_files(0), files);
}

TEST_F(StoreTest, ObjectsPutTogetherByManyDoNotLockEachOtherOut) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int round = 0; round < 10; ++round) {
        std::vector<NewObject> objects;
        for (int i = 0; i < 40; ++i) {
          int key = writer % 2 ? i : 39 - i;
          objects.push_back({"tables", std::to_string(key), std::to_string(writer), {}});
        }
        EXPECT_TRUE(store_->put_all(call_, std::move(objects)));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  auto page = store_->list(call_, "tables", {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.size(), 40u);
}

TEST_F(StoreTest, WrongSizeHintsDoNotMatter) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  for (size_t size : {size_t{200'000}, size_t{700'000}, size_t{1'100'000}}) {
    for (size_t hint :
         {size_t{1}, size_t{150'000}, size_t{400'000}, size_t{999'999}, size_t{5'000'000}}) {
      std::string bytes = pattern(size, hint);
      PutOptions options;
      options.size_hint = hint;
      auto writer = store_->write(call_, "tables", "hint", options);
      ASSERT_TRUE(writer);
      for (size_t at = 0; at < size; at += 65'000)
        ASSERT_TRUE((*writer)->append(std::string_view(bytes).substr(at, 65'000)));
      ASSERT_TRUE((*writer)->commit());
      expect_object("hint", bytes);
    }
  }
}

TEST_F(StoreTest, OverwriteRemoveListAndFilesGo) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  EXPECT_EQ(store_->create_bucket(call_, "tables").error().code, Code::exists);
  EXPECT_EQ(store_->create_bucket(call_, "No").error().code, Code::invalid);
  for (const char* key : {"a/1", "a/2", "a.b", "b", "c/x/1", "c/x/2", "c/y", "\xc3\xa9"}) {
    ASSERT_TRUE(store_->put(call_, "tables", key, pattern(300'000, 1)));
    ASSERT_TRUE(store_->put(call_, "tables", key, pattern(200'000, 2)));
  }
  auto page = store_->list(call_, "tables", {.delimiter = "/"});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->common_prefixes, (std::vector<std::string>{"a/", "c/"}));
  ASSERT_EQ(page->objects.size(), 3u);
  EXPECT_EQ(page->objects[0].key, "a.b");
  std::vector<std::string> walked;
  ListOptions one{.delimiter = "/", .keys_max = 1};
  do {
    page = store_->list(call_, "tables", one);
    ASSERT_TRUE(page);
    for (auto& object : page->objects) walked.push_back(object.key);
    for (auto& prefix : page->common_prefixes) walked.push_back(prefix);
    one.start_after = page->next_start_after;
  } while (page->truncated);
  EXPECT_EQ(walked, (std::vector<std::string>{"a.b", "a/", "b", "c/", "\xc3\xa9"}));
  page = store_->list(call_, "tables", {.prefix = "c/", .delimiter = "/"});
  EXPECT_EQ(page->common_prefixes, (std::vector<std::string>{"c/x/"}));
  page = store_->list(call_, "tables", {.prefix = "a", .start_after = "a/1"});
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a/2");

  EXPECT_EQ(store_->delete_bucket(call_, "tables").error().code, Code::conflict);
  for (const char* key :
       {"a/1", "a/2", "a.b", "b", "c/x/1", "c/x/2", "c/y", "\xc3\xa9", "absent"}) {
    ASSERT_TRUE(store_->remove(call_, "tables", key, {}));
  }
  ASSERT_TRUE(store_->delete_bucket(call_, "tables"));
  start();
  store_->poll();
  start();  // the file threads are joined
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 0u) << i;
  EXPECT_TRUE(store_->list_buckets(call_)->empty());
}

TEST_F(StoreTest, ConditionsHoldAtCommit) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  PutOptions fresh;
  fresh.conditions.if_none_match = {"*"};
  auto first = store_->write(call_, "tables", "pointer", fresh);
  auto second = store_->write(call_, "tables", "pointer", fresh);
  ASSERT_TRUE((*first)->append("one"));
  ASSERT_TRUE((*second)->append("two"));
  auto won = (*second)->commit();
  ASSERT_TRUE(won);
  auto lost = (*first)->commit();
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().is("precondition_failed"));
  PutOptions match;
  match.conditions.if_match = {won->etag};
  EXPECT_TRUE(store_->put(call_, "tables", "pointer", "three", match));
  EXPECT_TRUE(
      store_->put(call_, "tables", "pointer", "four", match).error().is("precondition_failed"));
  EXPECT_TRUE(store_->put(call_, "tables", "absent", "x", match).error().is("no_such_key"));
  expect_object("pointer", "three");

  // Sixteen writers count one object up; every success is one step.
  ASSERT_TRUE(store_->put(call_, "tables", "count", "0"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < 10;) {
        auto reader = store_->open(call_, "tables", "count", {});
        ASSERT_TRUE(reader) << reader.error().message;
        auto text = (*reader)->read_all();
        PutOptions swap;
        swap.conditions.if_match = {(*reader)->info().etag};
        if (store_->put(call_, "tables", "count", std::to_string(std::stoi(*text) + 1), swap))
          ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  expect_object("count", "80");
}

TEST_F(StoreTest, DigestsAreCheckedAndKept) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  PutOptions options;
  options.expected_md5 = digest(DigestKind::md5, "body");
  options.expected_checksums["crc32"] = checksum_of("crc32", "body");
  options.checksum_algorithms = {"crc64nvme", "sha256"};
  options.metadata["x-amz-meta-owner"] = "me";
  auto info = store_->put(call_, "tables", "k", "body", options);
  ASSERT_TRUE(info);
  auto head = store_->head(call_, "tables", "k", {});
  EXPECT_EQ(head->checksums.size(), 3u);
  EXPECT_EQ(head->checksums["sha256"], checksum_of("sha256", "body"));
  EXPECT_EQ(head->metadata["x-amz-meta-owner"], "me");
  EXPECT_TRUE(store_->put(call_, "tables", "k", "other", options).error().is("bad_digest"));
  options.expected_md5.clear();
  EXPECT_TRUE(store_->put(call_, "tables", "k", "other", options).error().is("bad_checksum"));
  expect_object("k", "body");
}

TEST_F(StoreTest, MultipartMovesNoBytesAndKeepsThem) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  auto upload = store_->create_upload(call_, "tables", "big", {}, "crc32", "FULL_OBJECT");
  ASSERT_TRUE(upload);
  std::string whole;
  std::vector<PartInfo> parts;
  for (int number : {1, 2, 3, 5}) {
    std::string bytes = pattern(number == 5 ? 77 : (5 << 20) + static_cast<size_t>(number),
                                static_cast<uint64_t>(number));
    auto writer = store_->write_part(call_, "tables", "big", *upload, number, {});
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append(bytes));
    auto part = (*writer)->commit();
    ASSERT_TRUE(part) << part.error().message;
    if (number == 3) continue;  // uploaded and not used
    parts.push_back({number, bytes.size(), part->etag});
    whole += bytes;
  }
  EXPECT_EQ(store_->list_parts(call_, "tables", "big", *upload)->size(), 4u);
  EXPECT_EQ(store_->list_uploads(call_, "tables", "b")->size(), 1u);
  EXPECT_TRUE(store_->head(call_, "tables", "big", {}).error().is("no_such_key"));
  std::vector<PartInfo> wrong{parts[1], parts[0]};
  EXPECT_TRUE(store_->complete_upload(call_, "tables", "big", *upload, wrong, {})
                  .error()
                  .is("invalid_part_order"));
  auto info = store_->complete_upload(call_, "tables", "big", *upload, parts, {});
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_TRUE(info->etag.ends_with("-3"));
  EXPECT_EQ(info->checksums["crc32"], checksum_of("crc32", whole));
  EXPECT_TRUE(store_->complete_upload(call_, "tables", "big", *upload, parts, {}));  // asked again
  expect_object("big", whole);
  EXPECT_TRUE(store_->list_uploads(call_, "tables", "")->empty());
  EXPECT_TRUE(
      store_->write_part(call_, "tables", "big", *upload, 1, {}).error().is("no_such_upload"));
  start();
  store_->poll();
  start();
  expect_object("big", whole);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 2u);

  upload = store_->create_upload(call_, "tables", "dropped", {}, "", "");
  auto writer = store_->write_part(call_, "tables", "dropped", *upload, 1, {});
  ASSERT_TRUE((*writer)->append(pattern(1 << 20, 9)));
  ASSERT_TRUE((*writer)->commit());
  writer->reset();
  ASSERT_TRUE(store_->abort_upload(call_, "tables", "dropped", *upload));
  start();
  store_->poll();
  start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 2u);
}

TEST_F(StoreTest, TagsMoveNoBytes) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  auto tags = [&](const char* key) {
    return tags_of(store_->head(call_, "tables", key, {})->metadata);
  };
  const Tags one = {{"project", "a b"}}, two = {{"project", "c"}, {"ü", ""}};
  const std::pair<const char*, size_t> objects[] = {
      {"none", 0}, {"small", 100}, {"coded", 100'000}, {"files", 3 << 20}};
  for (auto [key, size] : objects) {
    PutOptions options;
    options.metadata["x-amz-meta-a"] = "kept";
    std::string bytes = pattern(size, size);
    ASSERT_TRUE(store_->put(call_, "tables", key, bytes, options));
    auto before = store_->head(call_, "tables", key, {});
    auto reader = store_->open(call_, "tables", key, {});
    ASSERT_TRUE(store_->set_tags(call_, "tables", key, one));
    ASSERT_TRUE(store_->set_tags(call_, "tables", key, two));
    EXPECT_EQ(tags(key), two);
    auto after = store_->head(call_, "tables", key, {});
    EXPECT_EQ(after->etag, before->etag);
    EXPECT_EQ(after->last_modified, before->last_modified);
    EXPECT_EQ(after->metadata["x-amz-meta-a"], "kept");
    EXPECT_TRUE(*(*reader)->read_all() == bytes);
    expect_object(key, bytes);
  }
  EXPECT_TRUE(store_->set_tags(call_, "tables", "absent", one).error().is("no_such_key"));
  EXPECT_TRUE(store_->set_tags(call_, "absent", "k", one).error().is("no_such_bucket"));
  EXPECT_TRUE(store_->set_tags(call_, "tables", "small", {{"a", "!"}}).error().is("tag_value"));
  start();
  store_->poll();
  for (auto [key, size] : objects) {
    expect_object(key, pattern(size, size));
    EXPECT_EQ(tags(key), two);
    ASSERT_TRUE(store_->set_tags(call_, "tables", key, {}));
    EXPECT_EQ(tags(key), Tags{});
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 1u);
  for (auto [key, size] : objects) ASSERT_TRUE(store_->remove(call_, "tables", key, {}));
  start();
  store_->poll();
  start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 0u);
}

// A drive that misses a change of tags gets the record and keeps the bytes it has; an empty one
// gets both.
TEST_F(StoreTest, TagsReachADriveThatWasAway) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  std::string bytes = pattern(3 << 20, 1);
  for (const char* key : {"a", "b"}) ASSERT_TRUE(store_->put(call_, "tables", key, bytes));
  fs::rename(drive(2), root_ + "/away");
  store_->poll();
  ASSERT_TRUE(store_->set_tags(call_, "tables", "a", {{"k", "1"}}));
  start();
  fs::rename(root_ + "/away", drive(2));
  store_->poll();
  store_->poll();
  EXPECT_EQ(shard_files(2), 2u);
  fs::remove_all(drive(3));
  store_->poll();
  fs::create_directories(drive(3));
  store_->poll();
  store_->poll();
  ASSERT_TRUE(store_->set_tags(call_, "tables", "b", {{"k", "2"}}));
  for (int i : {0, 1}) fs::remove_all(drive(i));  // now 2 and 3 must hold everything
  store_->poll();
  for (const char* key : {"a", "b"}) expect_object(key, bytes);
  EXPECT_EQ(tags_of(store_->head(call_, "tables", "a", {})->metadata), (Tags{{"k", "1"}}));
  EXPECT_EQ(tags_of(store_->head(call_, "tables", "b", {})->metadata), (Tags{{"k", "2"}}));
}

TEST_F(StoreTest, AReaderKeepsItsVersion) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  std::string before = pattern(3 << 20, 1);
  ASSERT_TRUE(store_->put(call_, "tables", "k", before));
  auto reader = store_->open(call_, "tables", "k", {});
  ASSERT_TRUE(store_->put(call_, "tables", "k", pattern(2 << 20, 2)));
  ASSERT_TRUE(store_->remove(call_, "tables", "k", {}));
  EXPECT_TRUE(*(*reader)->read_all() == before);
}

TEST_F(StoreTest, TwoDrivesGoWhileRunningAndComeBackEmpty) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  std::map<std::string, std::string> expected;
  auto put = [&](const std::string& key, size_t size, int lost) {
    expected[key] = pattern(size, expected.size());
    auto info = store_->put(call_, "tables", key, expected[key]);
    ASSERT_TRUE(info) << key << info.error().message;
    EXPECT_EQ(info->redundancy_lost, lost) << key;
  };
  for (size_t size : kSizes) put("before/" + std::to_string(size), size, 0);
  auto gone = std::vector<int>{1, 2};
  for (int i : gone) fs::remove_all(drive(i));
  store_->poll();
  auto status = store_->status();
  EXPECT_FALSE(status.drives[1].online);
  EXPECT_FALSE(status.drives[2].online);
  EXPECT_NE(status.drives[1].problem, "");
  for (auto& [key, bytes] : expected) expect_object(key, bytes);
  for (size_t size : kSizes) put("during/" + std::to_string(size), size, 2);
  ASSERT_TRUE(store_->remove(call_, "tables", "before/4096", {}));
  expected.erase("before/4096");
  for (auto& [key, bytes] : expected) expect_object(key, bytes);

  for (int i : gone) fs::create_directories(drive(i));
  store_->poll();
  status = store_->status();
  for (auto& of_drive : status.drives) EXPECT_TRUE(of_drive.online) << of_drive.problem;
  put("after", 500'000, 0);
  // Now the other two go: what was written meanwhile must be on the replaced ones.
  for (int i : {0, 3}) fs::remove_all(drive(i));
  store_->poll();
  for (auto& [key, bytes] : expected) expect_object(key, bytes);
  EXPECT_TRUE(store_->head(call_, "tables", "before/4096", {}).error().is("no_such_key"));
  EXPECT_EQ(store_->list(call_, "tables", {})->objects.size(), expected.size());
  start();
  for (auto& [key, bytes] : expected) expect_object(key, bytes);
}

TEST_F(StoreTest, ADriveThatWasAwayCatchesUp) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(store_->put(call_, "tables", "k" + std::to_string(i), pattern(150'000, 1)));
  fs::rename(drive(2), root_ + "/away");
  store_->poll();
  for (int i = 0; i < 20; i += 2)
    ASSERT_TRUE(store_->put(call_, "tables", "k" + std::to_string(i), pattern(150'000, 2)));
  for (int i = 1; i < 20; i += 4)
    ASSERT_TRUE(store_->remove(call_, "tables", "k" + std::to_string(i), {}));
  start();  // also across a restart
  fs::rename(root_ + "/away", drive(2));
  store_->poll();
  store_->poll();
  for (int i : {0, 1}) fs::remove_all(drive(i));
  store_->poll();
  for (int i = 0; i < 20; ++i) {
    std::string key = "k" + std::to_string(i);
    if (i % 4 == 1) {
      EXPECT_TRUE(store_->head(call_, "tables", key, {}).error().is("no_such_key")) << key;
    } else {
      expect_object(key, pattern(150'000, i % 2 == 0 ? 2 : 1));
    }
  }
}

TEST_F(StoreTest, DamagedShardsAreNoticedAndHealed) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  std::string bytes = pattern(5 << 20, 3);
  ASSERT_TRUE(store_->put(call_, "tables", "k", bytes));
  auto damage = [&](int i) {
    for (const auto& entry : fs::recursive_directory_iterator(drive(i) + "/data")) {
      if (!entry.is_regular_file()) continue;
      auto file = disk_.open(entry.path(), OpenMode::write);
      ASSERT_TRUE((*file)->write_at(100'000, "rotten"));
    }
  };
  // A read that meets damage has the object healed; parity that no read needs may stay damaged.
  uint64_t id = 0;
  for (const auto& entry : fs::recursive_directory_iterator(drive(0) + "/data")) {
    if (entry.is_regular_file()) id = std::stoull(entry.path().filename(), nullptr, 16);
  }
  for (int shard = 0; shard < kShards; ++shard) {
    damage(drive_of_shard(id, shard));
    expect_object("k", bytes);
    store_->poll();
  }
  expect_object("k", bytes);
}

TEST_F(StoreTest, OrphanFilesOfACrashAreCollected) {
  ASSERT_TRUE(store_->create_bucket(call_, "tables"));
  auto writer = store_->write(call_, "tables", "k", {});
  ASSERT_TRUE((*writer)->append(pattern(4 << 20, 1)));
  ASSERT_TRUE(store_->put(call_, "tables", "whole", pattern(4 << 20, 2)));
  fs::copy(root_ + "/drives", root_ + "/copy",
           fs::copy_options::recursive);  // as kill -9 leaves it
  writer->reset();
  store_.reset();
  fs::remove_all(root_ + "/drives");
  fs::rename(root_ + "/copy", root_ + "/drives");
  start();
  store_->poll();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(shard_files(i), 1u);
  expect_object("whole", pattern(4 << 20, 2));
}

// --- the faulty disk
// -------------------------------------------------------------------------------------

struct Campaign {
  explicit Campaign(uint64_t seed) : disk(seed), random(seed) {}

  FaultDisk disk;
  SeededRandom random;
  FakeClock clock;
  Metrics metrics;
  Call call;
  std::unique_ptr<EmbeddedStore> store;
  // What was acknowledged last, and what may have happened since: nullopt = removed.
  struct Held {
    std::string bytes, tag;
    bool operator==(const Held&) const = default;
  };
  using Value = std::optional<Held>;
  std::map<std::string, std::vector<Value>> possible;

  Status start() {
    store.reset();
    EmbeddedStoreOptions options;
    for (int i = 0; i < 4; ++i) options.drives.push_back("/d/" + std::to_string(i));
    options.background = false;
    options.database_on_disk = true;
    ASSIGN_OR_RETURN(store, EmbeddedStore::start(options, disk, clock, random, metrics));
    (void)store->create_bucket(call, "tables");
    return {};
  }

  void step() {
    std::string key = "k" + std::to_string(random.next() % 5);
    auto& values = possible[key];
    if (values.empty()) values = {std::nullopt};
    if (random.next() % 4 == 0) {
      values.push_back(std::nullopt);
      if (store->remove(call, "tables", key, {})) values = {std::nullopt};
      return;
    }
    if (random.next() % 3 == 0) return tag(key, values);
    if (random.next() % 3 == 0) return put_two();
    static const size_t kStepSizes[] = {10, 5'000, 20'000, 150'000};
    std::string bytes = pattern(kStepSizes[random.next() % 4], random.next());
    values.push_back(Held{bytes, ""});
    if (store->put(call, "tables", key, bytes)) values = {Held{bytes, ""}};
  }

  void put_two() {
    std::vector<NewObject> objects;
    // The larger one is inline or in shard files.
    size_t larger = random.next() % 2 == 0 ? 140'000 : 530'000;
    for (size_t size : {size_t{3'000}, larger}) {
      std::string key = "k" + std::to_string(objects.size() * 2 + random.next() % 2);
      auto& values = possible[key];
      if (values.empty()) values = {std::nullopt};
      objects.push_back({"tables", key, pattern(size, random.next()), {}});
      values.push_back(Held{objects.back().bytes, ""});
    }
    if (!store->put_all(call, objects)) return;
    for (const NewObject& object : objects) possible[object.key] = {Held{object.bytes, ""}};
  }

  void tag(const std::string& key, std::vector<Value>& values) {
    std::string tag = std::to_string(random.next() % 1000);
    std::vector<Value> tagged;
    for (const Value& value : values) {
      if (value) tagged.push_back(Held{value->bytes, tag});
    }
    if (store->set_tags(call, "tables", key, {{"tag", tag}})) values.clear();
    values.insert(values.end(), tagged.begin(), tagged.end());
  }

  void check(const std::string& where) {
    for (auto& [key, values] : possible) {
      auto got = store->get(call, "tables", key);
      Value value;
      if (got) {
        auto info = store->head(call, "tables", key, {});
        ASSERT_TRUE(info) << where << " " << key << ": " << info.error().message;
        value = Held{*got, tags_of(info->metadata)["tag"]};
      } else {
        ASSERT_TRUE(got.error().is("no_such_key") || got.error().is("no_such_bucket"))
            << where << " " << key << ": " << got.error().message;
      }
      EXPECT_TRUE(std::ranges::find(values, value) != values.end())
          << where << " " << key << ": " << (value ? "other bytes or tags" : "lost");
      values = {value};
    }
  }
};

TEST(FaultCampaign, NoCallThatFailsLosesAnAcknowledgedWrite) {
  configure_log(LogLevel::off, LogFormat::human);
  for (int64_t n = 0; n < 40; ++n) {
    Campaign run(static_cast<uint64_t>(n));
    ASSERT_TRUE(run.start());
    for (int i = 0; i < 4; ++i) run.step();
    run.disk.fail_call(n);
    for (int i = 0; i < 6; ++i) run.step();
    run.check("call " + std::to_string(n));
    run.store->poll();
    run.store->poll();
    for (int i = 0; i < 3; ++i) run.step();
    run.check("healed " + std::to_string(n));
    ASSERT_TRUE(run.start());
    run.check("restarted " + std::to_string(n));
  }
}

TEST(FaultCampaign, PowerCutsLoseNothingAcknowledged) {
  configure_log(LogLevel::off, LogFormat::human);
  for (uint64_t seed = 0; seed < 25; ++seed) {
    Campaign run(seed);
    ASSERT_TRUE(run.start());
    for (int round = 0; round < 3; ++round) {
      int steps = static_cast<int>(run.random.next() % 6) + 1;
      for (int i = 0; i < steps; ++i) run.step();
      if (run.random.next() % 2) run.disk.fail_call(static_cast<int64_t>(run.random.next() % 20));
      run.step();
      run.disk.crash();
      auto started = run.start();
      ASSERT_TRUE(started) << "seed " << seed << ": " << started.error().message;
      run.check("seed " + std::to_string(seed) + " round " + std::to_string(round));
      if (testing::Test::HasFailure()) return;
      run.store->poll();
      run.check("polled, seed " + std::to_string(seed));
    }
  }
}

TEST(FaultCampaign, AFullDiskStopsWritesOnly) {
  configure_log(LogLevel::off, LogFormat::human);
  Campaign run(1);
  ASSERT_TRUE(run.start());
  std::string bytes = pattern(200'000, 5);
  ASSERT_TRUE(run.store->put(run.call, "tables", "k", bytes));
  run.disk.set_full(true);
  // Before anyone has looked at the free space: the writes themselves meet the full disk.
  for (size_t size : {size_t{10}, size_t{50'000}, size_t{300'000}}) {
    auto refused = run.store->put(run.call, "tables", "early", pattern(size, 6));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is("disk_full")) << refused.error().message;
  }
  EXPECT_TRUE(run.store->head(run.call, "tables", "early", {}).error().is("no_such_key"));
  run.clock.advance(std::chrono::seconds(1));
  for (size_t size : {size_t{10}, size_t{50'000}, size_t{300'000}}) {
    auto refused = run.store->put(run.call, "tables", "k", pattern(size, 6));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is("disk_full")) << refused.error().message;
  }
  EXPECT_TRUE(*run.store->get(run.call, "tables", "k") == bytes);
  run.disk.set_full(false);
  run.clock.advance(std::chrono::seconds(1));
  run.store->poll();
  run.clock.advance(std::chrono::seconds(1));
  auto again = run.store->put(run.call, "tables", "k", "now");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*run.store->get(run.call, "tables", "k"), "now");
}

}  // namespace
}  // namespace aichemy::objectstore
