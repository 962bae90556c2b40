// RocksDB's file system on Disk, so that the faulty twin can lie to the databases as it does to
// shard files. For tests: the real platform uses RocksDB's own, which preallocates and writes
// ahead.
#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "runtime/disk.h"

namespace aichemy::objectstore {

std::unique_ptr<rocksdb::Env> make_disk_env(Disk& disk);

}  // namespace aichemy::objectstore
