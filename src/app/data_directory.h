// The data directory: drives/0..3, broker/, meta/, tls/, secrets/, LOCK. Deleting it uninstalls
// everything.
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::app {

// Holds the directory for this process as long as it lives: flock on LOCK, which holds our pid.
class DataDirectory {
 public:
  // exists ("locked"): names the pid of the process that has it.
  static Result<DataDirectory> open(const std::string& path, Disk& disk);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::string& path() const { return path_; }
  std::string below(const std::string& name) const { return path_ + "/" + name; }

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

// $AICHEMY_DATA, else the user's data directory.
std::string default_data_path();

// A secret of 32 random bytes in hexadecimal, made at first use: data/secrets/<name>, readable by
// the owner only.
Result<std::string> load_or_make_secret(const DataDirectory& data, const std::string& name,
                                        Disk& disk, Random& random);

struct Certificate {
  std::string certificate_pem;
  std::string key_pem;
};
// tls/cert.pem and tls/key.pem; at first start a self-signed one (EC P-256, ten years) for
// localhost and `host`.
Result<Certificate> load_or_make_certificate(const DataDirectory& data, const std::string& host,
                                             Disk& disk);

}  // namespace aichemy::app
