// Load for bench/events.py: produces records with librdkafka, acks=all, and prints one JSON line.
//   events_load BOOTSTRAP TOPIC RECORDS BYTES RATE      RATE 0: as fast as it goes; else records a second
// "seconds" until the last acknowledgement; latencies in ms from produce() to the acknowledgement.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
std::vector<float> latencies;
long failed = 0;

int64_t micros_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++failed;
    return;
  }
  auto sent = static_cast<int64_t>(reinterpret_cast<intptr_t>(message->_private));
  latencies.push_back(static_cast<float>(micros_now() - sent) / 1000);
}

void set(rd_kafka_conf_t* conf, const char* key, const std::string& value) {
  char error[256];
  if (rd_kafka_conf_set(conf, key, value.c_str(), error, sizeof(error)) != RD_KAFKA_CONF_OK) {
    std::fprintf(stderr, "%s\n", error);
    std::exit(2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  long records = std::atol(argv[3]);
  long bytes = std::atol(argv[4]);
  long rate = std::atol(argv[5]);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[1]);
  set(conf, "acks", "all");
  set(conf, "linger.ms", rate > 0 ? "1" : "5");
  set(conf, "queue.buffering.max.messages", "100000");
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  char error[256];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argv[2], nullptr);
  std::string value(static_cast<size_t>(bytes), 'x');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>('a' + std::rand() % 26);
  latencies.reserve(static_cast<size_t>(records));
  auto begin = Clock::now();
  for (long i = 0; i < records; ++i) {
    if (rate > 0) {
      auto due = begin + std::chrono::microseconds(i * 1'000'000 / rate);
      while (Clock::now() < due) rd_kafka_poll(producer, 1);
    }
    auto stamp = reinterpret_cast<void*>(static_cast<intptr_t>(micros_now()));
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0,
                            stamp) != 0) {
      rd_kafka_poll(producer, 5);
    }
    if (i % 64 == 0) rd_kafka_poll(producer, 0);
  }
  rd_kafka_flush(producer, 120'000);
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(latencies.begin(), latencies.end());
  auto at = [&](double part) {
    return latencies.empty() ? 0.0 : double{latencies[static_cast<size_t>(part * (latencies.size() - 1))]};
  };
  std::printf("{\"records\": %zu, \"failed\": %ld, \"seconds\": %.3f, \"p50\": %.3f, \"p99\": %.3f}\n",
              latencies.size(), failed, seconds, at(0.5), at(0.99));
  return failed == 0 && static_cast<long>(latencies.size()) == records ? 0 : 1;
}
