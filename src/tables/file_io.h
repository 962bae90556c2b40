// Metadata files by location ("s3://bucket/key"; s3a and s3n mean the same) on an object store.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objectstore/object_store.h"
#include "runtime/call.h"

namespace aichemy::tables {

struct Location {
  std::string bucket;
  std::string key;
};

// invalid ("location") unless s3://bucket/key; the key may be empty.
Result<Location> parse_location(std::string_view location);

// What a copy of a folder took: names below the folder, with the etag each object had.
using CopiedFiles = std::map<std::string, std::string>;

// New files of one commit that become durable together: one wait instead of one a file. One
// thread.
class NewFiles {
 public:
  explicit NewFiles(objectstore::ObjectStore& store) : store_(store) {}
  // All that was collected, which is then forgotten. On error each of them may be there or not.
  Status write(const Call& call);

 private:
  friend class FileIo;
  objectstore::ObjectStore& store_;
  std::vector<objectstore::NewObject> files_;
};

class FileIo {
 public:
  explicit FileIo(objectstore::ObjectStore& store) : store_(store) {}
  // Writes only collect; read() and remove() know what was collected. Outlived by
  // `collected`.
  explicit FileIo(NewFiles& collected) : store_(collected.store_), collected_(&collected) {}

  objectstore::ObjectStore& store() { return store_; }

  // Whole file; not_found ("no_such_key") names the location. exhausted ("file_too_large") beyond
  // bytes_max.
  Result<std::string> read(const Call& call, const std::string& location,
                           uint64_t bytes_max = 2u << 30);
  // A new file: conflict ("precondition_failed") when it exists.
  Status write_new(const Call& call, const std::string& location, std::string bytes);
  // What is there is replaced.
  Status write(const Call& call, const std::string& location, std::string bytes);
  // Absent is success.
  Status remove(const Call& call, const std::string& location);
  Status remove_prefix(const Call& call, const std::string& location);
  // Whether there is anything below location + "/".
  Result<bool> has_prefix(const Call& call, const std::string& location);
  // One object, streamed; what is there is replaced.
  Status copy(const Call& call, const std::string& from, const std::string& to);
  // Every object below `from` also below `to`, streamed one by one; what is there is replaced.
  // What is in `copied` as it is now is passed over, and what was taken is added: a second call
  // takes what came late.
  Status copy_prefix(const Call& call, const std::string& from, const std::string& to,
                     CopiedFiles* copied);
  // The files of `copied` below location, also when some are gone already.
  Status remove_copied(const Call& call, const std::string& location, const CopiedFiles& copied);

 private:
  Status put(const Call& call, const std::string& location, std::string bytes,
             objectstore::PutOptions options);
  Status copy_object(const Call& call, const Location& from, const Location& to);

  std::vector<objectstore::NewObject>::iterator find_collected(const Location& at);

  objectstore::ObjectStore& store_;
  NewFiles* collected_ = nullptr;
};

}  // namespace aichemy::tables
