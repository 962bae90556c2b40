// A small S3 load generator: N connections, each a thread, PUT or GET of one size for some seconds. Requests are
// signed (Signature Version 4, payload digest) and laid out before the clock starts, so that the client costs little
// of the machine it shares with the server. Prints one JSON line.
//
//   s3_load HOST PORT ACCESS SECRET BUCKET put|get BYTES CLIENTS SECONDS
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "load_socket.h"

namespace {

using Clock = std::chrono::steady_clock;

std::string hex(const unsigned char* bytes, size_t count) {
  std::string text;
  char two[3];
  for (size_t i = 0; i < count; ++i) {
    std::snprintf(two, sizeof(two), "%02x", bytes[i]);
    text += two;
  }
  return text;
}

std::string sha256(const std::string& bytes) {
  unsigned char out[32];
  EVP_Digest(bytes.data(), bytes.size(), out, nullptr, EVP_sha256(), nullptr);
  return hex(out, 32);
}

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char out[32];
  unsigned count = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &count);
  return std::string(reinterpret_cast<char*>(out), count);
}

struct Target {
  std::string host, port, access, secret, bucket;
};

std::string signed_head(const Target& to, const std::string& method, const std::string& path, const std::string& digest,
                        size_t body_bytes) {
  std::time_t now = std::time(nullptr);
  char date[20];
  std::strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", std::gmtime(&now));
  std::string day(date, 8);
  std::string authority = to.host + ":" + to.port;
  std::string names = "host;x-amz-content-sha256;x-amz-date";
  std::string canonical = method + "\n" + path + "\n\nhost:" + authority + "\nx-amz-content-sha256:" + digest +
                          "\nx-amz-date:" + date + "\n\n" + names + "\n" + digest;
  std::string scope = day + "/us-east-1/s3/aws4_request";
  std::string key = hmac(hmac(hmac(hmac("AWS4" + to.secret, day), "us-east-1"), "s3"), "aws4_request");
  std::string raw = hmac(key, std::string("AWS4-HMAC-SHA256\n") + date + "\n" + scope + "\n" + sha256(canonical));
  return method + " " + path + " HTTP/1.1\r\nHost: " + authority + "\r\nx-amz-content-sha256: " + digest +
         "\r\nx-amz-date: " + date + "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + to.access + "/" + scope +
         ", SignedHeaders=" + names + ", Signature=" +
         hex(reinterpret_cast<const unsigned char*>(raw.data()), raw.size()) +
         "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

class Connection {
 public:
  explicit Connection(const Target& to) : socket_(to.host.c_str(), std::atoi(to.port.c_str())), buffer_(1 << 20, '\0') {}

  // Status of the answer, 0 when the connection broke.
  int exchange(const std::string& head, const std::string& body) {
    if (!socket_.send_all(head) || !socket_.send_all(body)) return 0;
    size_t have = 0;
    size_t end = std::string::npos;
    while (end == std::string::npos) {
      size_t got = socket_.receive(buffer_.data() + have, buffer_.size() - have);
      if (got == 0) return 0;
      have += got;
      end = std::string_view(buffer_.data(), have).find("\r\n\r\n");
    }
    std::string_view header(buffer_.data(), end);
    int status = std::atoi(buffer_.c_str() + 9);
    size_t at = header.find("Content-Length: ");
    if (at == std::string_view::npos) at = header.find("content-length: ");
    long left = at == std::string_view::npos ? 0 : std::atol(header.data() + at + 16);
    left -= static_cast<long>(have - end - 4);
    while (left > 0) {
      size_t got = socket_.receive(buffer_.data(), std::min<size_t>(buffer_.size(), static_cast<size_t>(left)));
      if (got == 0) return 0;
      left -= static_cast<long>(got);
    }
    return status;
  }

 private:
  bench::LoadSocket socket_;
  std::string buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 10) return std::fprintf(stderr, "usage: see the head of s3_load.cc\n"), 2;
  Target to{argv[1], argv[2], argv[3], argv[4], argv[5]};
  std::string method = std::strcmp(argv[6], "put") == 0 ? "PUT" : "GET";
  auto bytes = static_cast<size_t>(std::atoll(argv[7]));
  int clients = std::atoi(argv[8]);
  double seconds = std::atof(argv[9]);
  size_t keys = bytes <= (64 << 10) ? 64 : bytes <= (1 << 20) ? 16 : 1;  // of each client
  std::string body(bytes, '\0');
  uint64_t state = 0x9E3779B97F4A7C15;
  for (char& c : body) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    c = static_cast<char>(state >> 56);
  }
  const std::string empty;
  const std::string& sent = method == "PUT" ? body : empty;
  std::string digest = sha256(sent);
  { Connection(to).exchange(signed_head(to, "PUT", "/" + to.bucket, sha256(""), 0), ""); }
  std::atomic<uint64_t> total{0}, errors{0};
  std::vector<std::vector<float>> latencies(static_cast<size_t>(clients));
  std::atomic<int> ready{0};
  std::atomic<bool> go{false}, stop{false};
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      std::vector<std::string> heads;
      for (size_t key = 0; key < keys; ++key) {
        std::string path = "/" + to.bucket + "/o" + std::to_string(bytes) + "/" + std::to_string(client) + "-" + std::to_string(key);
        heads.push_back(signed_head(to, method, path, digest, sent.size()));
      }
      Connection connection(to);
      ++ready;
      while (!go) std::this_thread::yield();
      for (size_t i = 0; !stop; ++i) {
        auto began = Clock::now();
        int status = connection.exchange(heads[i % keys], sent);
        if (status == 200) {
          ++total;
          latencies[static_cast<size_t>(client)].push_back(std::chrono::duration<float, std::milli>(Clock::now() - began).count());
        } else {
          ++errors;
          if (status == 0) return;
        }
      }
    });
  }
  while (ready < clients) std::this_thread::yield();
  auto began = Clock::now();
  go = true;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  double took = std::chrono::duration<double>(Clock::now() - began).count();
  std::vector<float> all;
  for (auto& of_client : latencies) all.insert(all.end(), of_client.begin(), of_client.end());
  std::sort(all.begin(), all.end());
  auto at = [&](double p) { return all.empty() ? 0.0F : all[static_cast<size_t>(p * static_cast<double>(all.size() - 1))]; };
  std::printf("{\"op\": \"%s\", \"bytes\": %zu, \"clients\": %d, \"per_second\": %.1f, \"mb_per_second\": %.1f, "
              "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"errors\": %llu}\n",
              argv[6], bytes, clients, static_cast<double>(total) / took,
              static_cast<double>(total * bytes) / took / 1e6, at(0.5), at(0.99),
              static_cast<unsigned long long>(errors.load()));
}
