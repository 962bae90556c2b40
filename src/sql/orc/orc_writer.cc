#include "sql/orc/orc_writer.h"

#include <algorithm>

#include "sql/orc/orc_column_writer.h"
#include "sql/orc/orc_encode.h"
#include "sql/orc/orc_message.h"

namespace aichemy::orc {
namespace {

constexpr std::string_view kMagic = "ORC";
// Of the program that wrote: statistics of timestamps are UTC's (ORC-135).
constexpr uint64_t kWriterVersion = 6;
constexpr std::string_view kSoftware = "AIchemy";

std::string type_message(const TypeNode& type, uint32_t length) {
  MessageWriter out, packed;
  out.number(1, static_cast<uint64_t>(type.kind));
  for (uint32_t child : type.children) out.number(2, child);
  for (const std::string& name : type.names) out.text(3, name);
  if (type.kind == Kind::varchar || type.kind == Kind::char_) out.number(4, length);
  if (type.kind == Kind::decimal) {
    out.number(5, static_cast<uint64_t>(type.precision));
    out.number(6, static_cast<uint64_t>(type.scale));
  }
  return out.bytes();
}

std::string stripe_message(const Stripe& stripe) {
  MessageWriter out;
  out.number(1, stripe.offset);
  out.number(2, stripe.index_bytes);
  out.number(3, stripe.data_bytes);
  out.number(4, stripe.footer_bytes);
  out.number(5, stripe.rows);
  return out.bytes();
}

}  // namespace

Writer::Writer(std::vector<TypeNode> types, std::vector<uint32_t> lengths, Options options,
               Sink sink)
    : types_(std::move(types)),
      lengths_(std::move(lengths)),
      options_(options),
      sink_(std::move(sink)),
      root_(std::make_unique<ColumnWriter>(types_, 0, options.compression)) {}

Writer::~Writer() = default;

Status Writer::put(std::string_view bytes) {
  RETURN_IF_ERROR(sink_(bytes));
  offset_ += bytes.size();
  return {};
}

Status Writer::write(const Batch& rows) {
  if (offset_ == 0) RETURN_IF_ERROR(put(kMagic));
  RETURN_IF_ERROR(root_->write(rows, nullptr));
  stripe_rows_ += rows.rows;
  return root_->size() >= options_.stripe_bytes ? flush_stripe() : Status();
}

Result<std::string> Writer::packed(const std::string& message) const {
  StreamWriter out(options_.compression);
  out.bytes(message);
  return out.take();
}

Status Writer::flush_stripe() {
  if (stripe_rows_ == 0) return {};
  std::vector<ColumnWriter::Written> streams;
  std::vector<std::string> statistics;
  RETURN_IF_ERROR(root_->take(streams, statistics));
  Stripe stripe;
  stripe.offset = offset_;
  stripe.rows = stripe_rows_;
  MessageWriter footer, counted;
  for (const auto& stream : streams) {
    RETURN_IF_ERROR(put(stream.bytes));
    stripe.data_bytes += stream.bytes.size();
    MessageWriter place;
    place.number(1, static_cast<uint64_t>(stream.kind));
    place.number(2, stream.column);
    place.number(3, stream.bytes.size());
    footer.text(1, place.bytes());
  }
  for (const TypeNode& type : types_) {
    MessageWriter encoding;
    encoding.number(1, ColumnWriter::encoding_of(type));
    footer.text(2, encoding.bytes());
  }
  footer.text(3, "UTC");
  ASSIGN_OR_RETURN(std::string bytes, packed(footer.bytes()));
  RETURN_IF_ERROR(put(bytes));
  stripe.footer_bytes = bytes.size();
  for (const std::string& one : statistics) counted.text(1, one);
  MessageWriter entry;
  entry.text(1, counted.bytes());
  stripe_statistics_ += entry.bytes();
  stripes_.push_back(stripe);
  rows_ += std::exchange(stripe_rows_, 0);
  return {};
}

std::string Writer::footer() const {
  MessageWriter out;
  out.number(1, kMagic.size());
  out.number(2, offset_);
  for (const Stripe& stripe : stripes_) out.text(3, stripe_message(stripe));
  for (size_t i = 0; i < types_.size(); ++i)
    out.text(4, type_message(types_[i], i < lengths_.size() ? lengths_[i] : 0));
  out.number(6, rows_);
  std::vector<std::string> statistics;
  root_->file_statistics(statistics);
  for (const std::string& one : statistics) out.text(7, one);
  out.number(8, 0);  // no indexes of row groups
  out.text(12, kSoftware);
  return out.bytes();
}

Status Writer::finish() {
  if (offset_ == 0) RETURN_IF_ERROR(put(kMagic));
  RETURN_IF_ERROR(flush_stripe());
  ASSIGN_OR_RETURN(std::string footer_bytes, packed(footer()));
  ASSIGN_OR_RETURN(std::string metadata, packed(stripe_statistics_));
  RETURN_IF_ERROR(put(metadata));
  RETURN_IF_ERROR(put(footer_bytes));
  MessageWriter script;
  script.number(1, footer_bytes.size());
  script.number(2, static_cast<uint64_t>(options_.compression));
  script.number(3, StreamWriter::kBlockBytes);
  script.text(4, std::string_view("\0\14", 2));  // 0.12, packed
  script.number(5, metadata.size());
  script.number(6, kWriterVersion);
  script.text(8000, kMagic);
  RETURN_IF_ERROR(put(script.bytes()));
  return put(std::string(1, static_cast<char>(script.bytes().size())));
}

}  // namespace aichemy::orc
