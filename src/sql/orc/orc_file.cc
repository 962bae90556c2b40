#include "sql/orc/orc_file.h"

#include <algorithm>

namespace aichemy::orc {
namespace {

constexpr uint64_t kTailBytes = 64 << 10;  // a first guess
constexpr uint64_t kTailMax = 256 << 20;   // of each of its parts, decompressed
constexpr uint64_t kGapMax = 64 << 10;     // read along rather than asked for twice
constexpr uint64_t kPartMax = 32 << 20;    // joined no further
constexpr std::string_view kMagic = "ORC";

// A part of the tail or of a stripe that is one stream of its own.
Result<std::string> unpacked(std::string_view raw, const Tail& tail, uint64_t offset) {
  Fault fault;
  Stream stream(raw, tail.compression, tail.block_bytes, offset, fault);
  std::string out;
  stream.append_rest(out, kTailMax);
  RETURN_IF_ERROR(fault.status());
  return out;
}

void mark(const Selection& selection, std::vector<bool>& wanted) {
  wanted[selection.type] = true;
  for (const Selection& child : selection.children) mark(child, wanted);
}

}  // namespace

Result<File> File::open(Bytes& bytes) {
  uint64_t size = bytes.size();
  uint64_t have = std::min(size, kTailBytes);
  std::string end(have, '\0');
  RETURN_IF_ERROR(bytes.read(size - have, end.data(), end.size()));
  if (have < kMagic.size() + 1) return std::unexpected(malformed("too few bytes", size));
  uint64_t postscript_bytes = static_cast<uint8_t>(end.back());
  if (postscript_bytes + 1 > have) return std::unexpected(malformed("no valid postscript", size));
  uint64_t at = size - 1 - postscript_bytes;
  ASSIGN_OR_RETURN(
      PostScript script,
      read_postscript(std::string_view(end).substr(have - 1 - postscript_bytes, postscript_bytes),
                      at));
  if (script.footer_bytes > at || script.metadata_bytes > at - script.footer_bytes ||
      script.footer_bytes > kTailMax || script.metadata_bytes > kTailMax)
    return std::unexpected(malformed("the tail is longer than the file", at));
  uint64_t begin = at - script.footer_bytes - script.metadata_bytes;
  if (size - begin > have) {
    std::string more(size - begin - have, '\0');
    RETURN_IF_ERROR(bytes.read(begin, more.data(), more.size()));
    end.insert(0, more);
    have = end.size();
  }
  File file;
  file.tail_.compression = script.compression;
  file.tail_.block_bytes = script.block_bytes;
  std::string_view tail = std::string_view(end).substr(have - (size - begin));
  ASSIGN_OR_RETURN(std::string footer,
                   unpacked(tail.substr(script.metadata_bytes, script.footer_bytes), file.tail_,
                            at - script.footer_bytes));
  RETURN_IF_ERROR(read_footer(footer, at - script.footer_bytes, size, file.tail_));
  if (file.root().kind != Kind::struct_)
    return std::unexpected(malformed("the root is no struct", at));
  ASSIGN_OR_RETURN(std::string metadata,
                   unpacked(tail.substr(0, script.metadata_bytes), file.tail_, begin));
  RETURN_IF_ERROR(read_statistics(metadata, begin, file.tail_));
  return file;
}

Result<std::unique_ptr<StripeReader>> StripeReader::open(const File& file, size_t stripe,
                                                         std::vector<Selection> columns,
                                                         Bytes& bytes) {
  const Tail& tail = file.tail();
  const Stripe& at = tail.stripes[stripe];
  std::unique_ptr<StripeReader> out(new StripeReader(tail, at.rows));
  if (columns.empty()) return out;
  uint64_t footer_at = at.offset + at.index_bytes + at.data_bytes;
  if (at.footer_bytes > kTailMax)
    return std::unexpected(malformed("the footer of a stripe is too long", footer_at));
  std::string raw(at.footer_bytes, '\0');
  RETURN_IF_ERROR(bytes.read(footer_at, raw.data(), raw.size()));
  ASSIGN_OR_RETURN(std::string footer, unpacked(raw, tail, footer_at));
  ASSIGN_OR_RETURN(out->footer_, read_stripe_footer(footer, at, tail.types.size()));
  Selection root{0, std::move(columns)};
  std::vector<bool> wanted(tail.types.size());
  mark(root, wanted);
  RETURN_IF_ERROR(out->load(wanted, bytes));
  StreamSource streams = [&out](uint32_t column, StreamKind kind) {
    return out->stream(column, kind);
  };
  std::function<bool(uint32_t)> has_nulls = [&out](uint32_t column) {
    return std::ranges::any_of(out->footer_.streams, [&](const StreamPlace& place) {
      return place.column == column && place.kind == static_cast<uint64_t>(StreamKind::present);
    });
  };
  out->root_ = std::make_unique<ColumnReader>(
      root, ColumnReader::Context{tail.types, out->footer_.encodings, at.rows, streams, has_nulls});
  RETURN_IF_ERROR(out->fault_.status());
  return out;
}

// Streams of these columns, those that lie close together by one read.
Status StripeReader::load(const std::vector<bool>& wanted, Bytes& bytes) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const StreamPlace& place : footer_.streams) {
    bool values = place.kind <= static_cast<uint64_t>(StreamKind::dictionary) ||
                  place.kind == static_cast<uint64_t>(StreamKind::secondary);
    if (!values || !wanted[place.column] || place.bytes == 0) continue;
    uint64_t end = place.offset + place.bytes;
    bool joins = !ranges.empty() && place.offset - ranges.back().second <= kGapMax &&
                 end - ranges.back().first <= kPartMax;
    if (joins)
      ranges.back().second = end;
    else
      ranges.emplace_back(place.offset, end);
  }
  for (const auto& [begin, end] : ranges) {
    Part& part = parts_.emplace_back();
    part.offset = begin;
    part.bytes.resize(end - begin);
    RETURN_IF_ERROR(bytes.read(begin, part.bytes.data(), part.bytes.size()));
  }
  return {};
}

std::string_view StripeReader::loaded(const StreamPlace& place) const {
  for (const Part& part : parts_) {
    if (place.offset < part.offset || place.offset - part.offset >= part.bytes.size()) continue;
    return std::string_view(part.bytes).substr(place.offset - part.offset, place.bytes);
  }
  return {};
}

std::unique_ptr<Stream> StripeReader::stream(uint32_t column, StreamKind kind) {
  StreamPlace found;
  for (const StreamPlace& place : footer_.streams) {
    if (place.column == column && place.kind == static_cast<uint64_t>(kind)) found = place;
  }
  return std::make_unique<Stream>(loaded(found), tail_.compression, tail_.block_bytes, found.offset,
                                  fault_);
}

Result<size_t> StripeReader::read(size_t rows, std::vector<Batch>& out) {
  rows = std::min<uint64_t>(rows, rows_left_);
  rows_left_ -= rows;
  if (!root_ || rows == 0) return rows;
  Batch root;
  root.children = std::move(out);
  root_->read(rows, nullptr, root);
  out = std::move(root.children);
  RETURN_IF_ERROR(fault_.status());
  return rows;
}

}  // namespace aichemy::orc
