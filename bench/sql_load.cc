// A small load generator for the SQL port: N kept connections, each a thread, one statement after another for some
// seconds. Each is a POST and GETs until there is no nextUri. Prints one JSON line.
//
//   sql_load HOST PORT CLIENTS SECONDS STATEMENT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "load_socket.h"

namespace {

using Clock = std::chrono::steady_clock;

class Connection {
 public:
  Connection(const char* host, int port) : socket_(host, port) {}

  // The body of the answer.
  std::string exchange(const std::string& request) {
    if (!socket_.send_all(request)) fail("send");
    std::string answer;
    size_t head = std::string::npos, length = 0;
    while (head == std::string::npos || answer.size() < head + length) {
      char buffer[65536];
      size_t count = socket_.receive(buffer, sizeof(buffer));
      if (count == 0) fail("recv");
      answer.append(buffer, count);
      if (head != std::string::npos) continue;
      head = answer.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      head += 4;
      size_t at = answer.find("Content-Length: ");
      if (at > head || answer.compare(9, 3, "200") != 0) fail(answer.c_str());
      length = std::strtoull(answer.c_str() + at + 16, nullptr, 10);
    }
    return answer.substr(head);
  }

  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "sql_load: %s\n", what);
    std::exit(1);
  }

 private:
  bench::LoadSocket socket_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) Connection::fail("HOST PORT CLIENTS SECONDS STATEMENT");
  const char* host = arguments[1];
  int port = std::atoi(arguments[2]), clients = std::atoi(arguments[3]);
  double seconds = std::atof(arguments[4]);
  std::string text = arguments[5], common = std::string("Host: ") + host + ":" + arguments[2] + "\r\nX-Trino-User: load\r\n";
  std::string post = "POST /v1/statement HTTP/1.1\r\n" + common + "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  std::vector<std::vector<double>> took(static_cast<size_t>(clients));
  std::vector<std::thread> threads;
  Clock::time_point begin = Clock::now(), end = begin + std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6));
  for (auto& mine : took) {
    threads.emplace_back([&] {
      Connection connection(host, port);
      while (Clock::now() < end) {
        Clock::time_point start = Clock::now();
        std::string body = connection.exchange(post);
        for (;;) {
          size_t at = body.find("\"nextUri\":\"");
          if (at == std::string::npos) break;
          at = body.find("/v1/", at);
          std::string path = body.substr(at, body.find('"', at) - at);
          body = connection.exchange("GET " + path + " HTTP/1.1\r\n" + common + "\r\n");
        }
        if (body.find("\"state\":\"FINISHED\"") == std::string::npos) Connection::fail(body.c_str());
        mine.push_back(std::chrono::duration<double>(Clock::now() - start).count());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  std::vector<double> all;
  for (const auto& mine : took) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) Connection::fail("no statement ended");
  std::printf("{\"clients\": %d, \"per_second\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", clients,
              static_cast<double>(all.size()) / elapsed, all[all.size() / 2] * 1e3, all[all.size() * 99 / 100] * 1e3);
  return 0;
}
