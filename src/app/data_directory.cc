#include "app/data_directory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/bytes.h"

namespace aichemy::app {
namespace {

constexpr long kCertificateSeconds = 3650L * 86'400;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Deleter<X509_free>>;
using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

std::string contents(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (!extension) return false;
  bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

Result<Certificate> make_certificate(const std::string& host) {
  auto broken = [] { return fail(Code::internal, "tls", "OpenSSL could not make a certificate"); };
  KeyPointer key(EVP_EC_gen("P-256"));
  CertificatePointer certificate(X509_new());
  if (!key || !certificate) return broken();
  X509* x = certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), SystemRandom().next() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), kCertificateSeconds);
  X509_set_pubkey(x, key.get());
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("aichemy"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (!host.empty() && host != "localhost")
    names += (host.find_first_not_of("0123456789.") == std::string::npos ? ",IP:" : ",DNS:") + host;
  if (!add_extension(x, NID_subject_alt_name, names) ||
      !add_extension(x, NID_basic_constraints, "critical,CA:TRUE") ||
      X509_sign(x, key.get(), EVP_sha256()) == 0) {
    return broken();
  }
  BioPointer certificate_bio(BIO_new(BIO_s_mem()));
  BioPointer key_bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_bio.get(), x) != 1 ||
      PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return broken();
  }
  return Certificate{contents(certificate_bio.get()), contents(key_bio.get())};
}

Status write_private(const std::string& path, std::string_view bytes, Disk& disk) {
  RETURN_IF_ERROR(disk.replace_file(path, bytes));
  if (::chmod(path.c_str(), 0600) != 0) {
    return fail(Code::unavailable, "disk_io",
                fmt::format("chmod {}: {}", path, std::strerror(errno)));
  }
  return {};
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path, Disk& disk) {
  RETURN_IF_ERROR(disk.make_directories(path));
  std::string lock_path = path + "/LOCK";
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock < 0) {
    return fail(Code::unavailable, "disk_io",
                fmt::format("open {}: {}", lock_path, std::strerror(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    ssize_t got = ::read(lock, pid, sizeof pid - 1);
    ::close(lock);
    std::string holder = got > 0 ? std::string(pid, std::strcspn(pid, "\n")) : "unknown";
    return fail(
        Code::exists, "locked",
        fmt::format(
            "the data directory {} is in use by process {}; stop it, or name another with --data",
            path, holder));
  }
  std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    ::close(lock);
    return fail(Code::unavailable, "disk_io",
                fmt::format("write {}: {}", lock_path, std::strerror(errno)));
  }
  for (const char* name : {"meta", "tls", "secrets", "broker", "spill", "drives"}) {
    if (Status made = disk.make_directories(path + "/" + name); !made) {
      ::close(lock);
      return std::unexpected(made.error());
    }
  }
  // Only the owner looks inside, whatever mode the files in them have.
  for (const char* name : {"tls", "secrets"}) ::chmod((path + "/" + name).c_str(), 0700);
  return DataDirectory(path, lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);  // gives the lock back
}

std::string default_data_path() {
  if (const char* path = std::getenv("AICHEMY_DATA"); path && *path) return path;
  if (const char* path = std::getenv("XDG_DATA_HOME"); path && *path)
    return std::string(path) + "/aichemy";
  const char* home = std::getenv("HOME");
  return std::string(home && *home ? home : "/tmp") + "/.local/share/aichemy";
}

Result<std::string> load_or_make_secret(const DataDirectory& data, const std::string& name,
                                        Disk& disk, Random& random) {
  std::string path = data.below("secrets/" + name);
  ASSIGN_OR_RETURN(bool there, disk.exists(path));
  if (there) return disk.read_file(path);
  std::string secret = to_hex(random.bytes(32));
  RETURN_IF_ERROR(write_private(path, secret, disk));
  return secret;
}

Result<Certificate> load_or_make_certificate(const DataDirectory& data, const std::string& host,
                                             Disk& disk) {
  std::string certificate_path = data.below("tls/cert.pem");
  std::string key_path = data.below("tls/key.pem");
  ASSIGN_OR_RETURN(bool has_certificate, disk.exists(certificate_path));
  ASSIGN_OR_RETURN(bool has_key, disk.exists(key_path));
  Certificate out;
  if (has_certificate && has_key) {
    ASSIGN_OR_RETURN(out.certificate_pem, disk.read_file(certificate_path));
    ASSIGN_OR_RETURN(out.key_pem, disk.read_file(key_path));
    return out;
  }
  ASSIGN_OR_RETURN(out, make_certificate(host));
  RETURN_IF_ERROR(write_private(key_path, out.key_pem, disk));
  RETURN_IF_ERROR(disk.replace_file(certificate_path, out.certificate_pem));
  return out;
}

}  // namespace aichemy::app
