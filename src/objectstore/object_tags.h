// Tags of objects, as S3 has them: up to ten words with values, which can be changed without
// writing the object anew; its ETag and time stay.
//
// They are kept among ObjectInfo::metadata, under kTagsName, spelled as the header x-amz-tagging
// spells them: fronts give them to PutOptions::metadata, and take them out before they show it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/call.h"

namespace aichemy::objectstore {

inline constexpr const char* kTagsName = "x-amz-tagging";
inline constexpr size_t kTagsMax = 10;
inline constexpr size_t kTagKeyMax = 128;    // characters
inline constexpr size_t kTagValueMax = 256;  // characters

using Tags = std::map<std::string, std::string>;
using Metadata = std::map<std::string, std::string>;

// invalid: "too_many_tags", "tag_key", "tag_value".
Status check_tags(const Tags& tags);
// k1=v1&k2=v2, percent-encoded. Reading: invalid ("tag_text", "tag_twice", and of check_tags()).
std::string encode_tags(const Tags& tags);
Result<Tags> decode_tags(std::string_view text);

Tags tags_of(const Metadata& metadata);
void put_tags(Metadata& metadata, const Tags& tags);  // none: the entry goes

// What a store offers besides ObjectStore.
class ObjectTagging {
 public:
  virtual ~ObjectTagging() = default;
  // Replaces all tags of an object; durable when it returns. no_such_bucket, no_such_key, and
  // those of check_tags().
  virtual Status set_tags(const Call& call, const std::string& bucket, const std::string& key,
                          const Tags& tags) = 0;
};

}  // namespace aichemy::objectstore
