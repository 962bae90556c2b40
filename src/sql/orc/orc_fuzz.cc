#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sql/orc/orc_file.h"

namespace orc = aichemy::orc;

namespace {

class Memory final : public orc::Bytes {
 public:
  explicit Memory(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  aichemy::Status read(uint64_t offset, char* to, size_t count) override {
    if (offset > bytes_.size() || count > bytes_.size() - offset) __builtin_trap();
    std::memcpy(to, bytes_.data() + offset, count);
    return {};
  }

 private:
  std::string_view bytes_;
};

orc::Selection whole(const std::vector<orc::TypeNode>& types, uint32_t node) {
  orc::Selection out{node, {}};
  for (uint32_t child : types[node].children) out.children.push_back(whole(types, child));
  return out;
}

}  // namespace

// Every column of every stripe; not all rows of one that claims many.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > (1u << 20)) return 0;
  Memory memory({reinterpret_cast<const char*>(data), size});
  auto file = orc::File::open(memory);
  if (!file || file->tail().types.size() > 1000) return 0;
  const auto& types = file->tail().types;
  for (size_t i = 0; i < file->tail().stripes.size() && i < 4; ++i) {
    std::vector<orc::Selection> columns = whole(types, 0).children;
    auto stripe = orc::StripeReader::open(*file, i, std::move(columns), memory);
    if (!stripe) continue;
    std::vector<orc::Batch> batches;
    for (int n = 0; n < 4; ++n) {
      auto rows = (*stripe)->read(1024, batches);
      if (!rows || *rows == 0) break;
    }
  }
  return 0;
}
