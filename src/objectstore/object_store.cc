#include "objectstore/object_store.h"

namespace aichemy::objectstore {

Result<std::string> ObjectReader::read_all() {
  std::string bytes(info().size, '\0');
  ASSIGN_OR_RETURN(size_t got, read_at(0, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

Result<std::string> ObjectStore::get(const Call& call, const std::string& bucket,
                                     const std::string& key) {
  ASSIGN_OR_RETURN(auto reader, open(call, bucket, key, {}));
  return reader->read_all();
}

Result<ObjectInfo> ObjectStore::put(const Call& call, const std::string& bucket,
                                    const std::string& key, std::string_view bytes,
                                    PutOptions options) {
  options.size_hint = bytes.size();
  ASSIGN_OR_RETURN(auto writer, write(call, bucket, key, std::move(options)));
  RETURN_IF_ERROR(writer->append(bytes));
  return writer->commit();
}

Status ObjectStore::put_all(const Call& call, std::vector<NewObject> objects) {
  for (NewObject& object : objects) {
    auto done = put(call, object.bucket, object.key, object.bytes, std::move(object.options));
    if (!done) return std::unexpected(done.error());
  }
  return {};
}

}  // namespace aichemy::objectstore
