// Tables whose rows lie in buckets: their description in the Metastore, which file is of which
// bucket, and which buckets a query needs. Private to the module.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/hive/hive_files.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {

inline constexpr const char* kBucketColumn = "$bucket";
inline constexpr int kBucketsMax = 1'000'000;

// None: the table has none. corrupt ("HIVE_INVALID_METADATA"), unsupported ("NOT_SUPPORTED").
Result<std::optional<HiveBuckets>> buckets_of(const HiveTable& table);
// Whether a partition's files are divided as the table says.
bool same_buckets(const hive::StorageDescriptor& a, const hive::StorageDescriptor& b);
// unsupported ("NOT_SUPPORTED") when there is no hash of a column's type.
Status check_bucket_types(const HiveTable& table, const HiveBuckets& buckets);

// bucketed_by, bucket_count, sorted_by and bucketing_version, both ways. invalid
// ("INVALID_TABLE_PROPERTY").
Status set_buckets(const NewTable& table, const std::vector<std::string>& keys, hive::Table* made);
void show_buckets(const HiveTable& table, Properties& shown);

// By Hive's and Trino's names of files: 000003_0, 000003_0_<query>, ..._bucket-00003, bucket_00003.
std::optional<int> bucket_of_file(std::string_view path);
// "000003_0_<insert>", with a number behind for the second file of a bucket.
std::string bucket_file_name(int bucket, const std::string& insert, size_t file);

// Which buckets hold rows for which the conjuncts can be true; none: any.
class BucketChoice {
 public:
  BucketChoice(const HiveTable& table, const HiveBuckets& buckets, const ScanRequest& request);
  // Sets HiveFile::bucket and leaves out what is not needed. corrupt ("HIVE_INVALID_BUCKET_FILES")
  // when the query asks for the bucket and a file's cannot be told.
  Status choose(const HiveTable& table, const hive::StorageDescriptor& storage,
                std::vector<HiveFile>& files) const;

 private:
  int count_;
  bool asked_ = false;  // for $bucket
  std::optional<std::set<int>> wanted_;
};

}  // namespace aichemy::sql
