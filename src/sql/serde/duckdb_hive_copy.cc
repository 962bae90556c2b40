// COPY ... (FORMAT aichemy_orc | aichemy_avro, DESCRIPTION '<HiveFileFormat>'): files of Hive
// tables. A failed one is removed by whoever began it.
#include <duckdb/common/file_system.hpp>
#include <duckdb/function/copy_function.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/parsed_data/copy_info.hpp>

#include "base/random.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/serde/registration.h"
#include "sql/serde/row_file.h"
#include "tables/avro_header.h"

namespace aichemy::sql {
namespace {

using duckdb::ClientContext;
using duckdb::idx_t;

struct CopyBind final : duckdb::FunctionData {
  HiveFileFormat format;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    auto copy = duckdb::make_uniq<CopyBind>();
    copy->format = format;
    return copy;
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return format.text() == other.Cast<CopyBind>().format.text();
  }
};

struct CopyGlobal final : duckdb::GlobalFunctionData {
  duckdb::unique_ptr<duckdb::FileHandle> file;
  std::unique_ptr<RowFileWriter> writer;
};

struct CopyLocal final : duckdb::LocalFunctionData {
  std::unique_ptr<RowFileWriter::Part> part;  // of the file that its first rows went to
};

duckdb::unique_ptr<duckdb::FunctionData> bind(ClientContext&, duckdb::CopyFunctionBindInput& input,
                                              const duckdb::vector<std::string>&,
                                              const duckdb::vector<duckdb::LogicalType>& types) {
  auto made = duckdb::make_uniq<CopyBind>();
  auto given = input.info.options.find("description");
  if (given == input.info.options.end() || given->second.empty())
    throw_error({Code::internal, "serde", "a file without a description"});
  auto format = HiveFileFormat::from_text(given->second[0].ToString());
  if (!format) throw_error(format.error());
  if (format->columns.size() > types.size())
    throw_error({Code::internal, "serde", "a file with more columns than there are"});
  made->format = std::move(*format);
  return made;
}

duckdb::unique_ptr<duckdb::LocalFunctionData> start_local(duckdb::ExecutionContext&,
                                                          duckdb::FunctionData&) {
  return duckdb::make_uniq<CopyLocal>();
}

duckdb::unique_ptr<duckdb::GlobalFunctionData> start(ClientContext& context,
                                                     duckdb::FunctionData& data,
                                                     const std::string& path) {
  const HiveFileFormat& format = data.Cast<CopyBind>().format;
  auto made = duckdb::make_uniq<CopyGlobal>();
  made->file = duckdb::FileSystem::GetFileSystem(context).OpenFile(
      path, duckdb::FileFlags::FILE_FLAGS_WRITE | duckdb::FileFlags::FILE_FLAGS_FILE_CREATE_NEW);
  FileSink sink = [file = made->file.get()](std::string_view bytes) -> Status {
    // The file system does not write to what it is given.
    file->Write(const_cast<char*>(bytes.data()), bytes.size());
    return {};
  };
  if (format.format == HiveFormat::orc) {
    made->writer = write_orc(format, std::move(sink));
  } else {
    std::string sync(tables::kAvroSyncBytes, '\0');
    SystemRandom().fill(sync.data(), sync.size());
    made->writer = write_avro(format, sync, std::move(sink));
  }
  return made;
}

void sink(duckdb::ExecutionContext&, duckdb::FunctionData&, duckdb::GlobalFunctionData& global,
          duckdb::LocalFunctionData& local, duckdb::DataChunk& rows) {
  for (idx_t i = 0; i < rows.ColumnCount(); ++i) flatten_all(rows.data[i], rows.size());
  auto& part = local.Cast<CopyLocal>().part;
  if (!part) part = global.Cast<CopyGlobal>().writer->begin_part();
  part->write(rows);
}

void combine(duckdb::ExecutionContext&, duckdb::FunctionData&, duckdb::GlobalFunctionData&,
             duckdb::LocalFunctionData& local) {
  auto& part = local.Cast<CopyLocal>().part;
  if (part) part->flush();
  part.reset();
}

void finish(ClientContext&, duckdb::FunctionData&, duckdb::GlobalFunctionData& global) {
  auto& ours = global.Cast<CopyGlobal>();
  ours.writer->finish();
  ours.file->Close();
}

duckdb::CopyFunctionExecutionMode mode(bool ordered, bool) {
  return ordered ? duckdb::CopyFunctionExecutionMode::REGULAR_COPY_TO_FILE
                 : duckdb::CopyFunctionExecutionMode::PARALLEL_COPY_TO_FILE;
}

}  // namespace

void flatten_all(duckdb::Vector& column, idx_t count) {
  column.Flatten(count);
  switch (column.GetType().InternalType()) {
    case duckdb::PhysicalType::STRUCT:
      for (auto& field : duckdb::StructVector::GetEntries(column)) flatten_all(*field, count);
      return;
    case duckdb::PhysicalType::LIST:
      return flatten_all(duckdb::ListVector::GetEntry(column),
                         duckdb::ListVector::GetListSize(column));
    default: return;
  }
}

void register_hive_copy(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  for (const char* name : {"aichemy_orc", "aichemy_avro"}) {
    duckdb::CopyFunction function(name);
    function.copy_to_bind = bind;
    function.copy_to_initialize_local = start_local;
    function.copy_to_initialize_global = start;
    function.copy_to_sink = sink;
    function.copy_to_combine = combine;
    function.copy_to_finalize = finish;
    function.execution_mode = mode;
    function.extension = name;
    loader.RegisterFunction(function);
  }
}

}  // namespace aichemy::sql
