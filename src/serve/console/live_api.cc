// What is live, as server-sent events. A stream ends with its client, or when the service stops;
// the browser comes back by itself.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/bytes.h"
#include "serve/console/handlers.h"
#include "serve/console/message_scan.h"
#include "serve/console/overview.h"

namespace aichemy::serve::console {

Result<MessageFilter> message_filter(const Exchange& exchange);  // events_api.cc

namespace {

constexpr auto kTick = std::chrono::milliseconds(200);
constexpr int kOverviewTicks = 5;
constexpr int kSilentTicksMax = 50;  // then a comment says that we are there
constexpr size_t kMessagesATick = 200;

// False: time to end.
Async<bool> tick(const Exchange& exchange, const std::function<bool()>& stopping) {
  if (stopping() || exchange.call.cancel.stop_requested()) co_return false;
  asio::steady_timer timer(co_await asio::this_coro::executor, kTick);
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return !error && !stopping() && !exchange.call.cancel.stop_requested();
}

Async<Status> begin_stream(http::Response& response) {
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  co_return co_await response.begin(std::nullopt);
}

std::string event_text(const char* name, const std::string& data) {
  return std::string("event: ") + name + "\ndata: " + data + "\n\n";
}

}  // namespace

Async<Status> stream_overview(Exchange& exchange, http::Request&, http::Response& response,
                              const std::function<bool()>& stopping) {
  CO_RETURN_IF_ERROR(co_await begin_stream(response));
  do {
    auto text = co_await on(exchange.services().pool, [&]() -> Result<std::string> {
      return exchange.parts.overview.text();
    });
    if (!text) co_return Status();
    if (!co_await response.write(event_text("overview", *text))) co_return Status();
    for (int i = 1; i < kOverviewTicks; ++i) {
      if (!co_await tick(exchange, stopping)) co_return co_await response.end();
    }
  } while (co_await tick(exchange, stopping));
  co_return co_await response.end();
}

Async<Status> stream_messages(Exchange& exchange, http::Request&, http::Response& response,
                              const std::function<bool()>& stopping) {
  Pool& pool = exchange.services().pool;
  broker::Broker& broker = exchange.services().broker;
  const std::string& topic = exchange.path[0];
  std::optional<int32_t> partition;
  if (exchange.query.contains("partition"))
    partition = static_cast<int32_t>(exchange.number("partition", 0));
  CO_ASSIGN_OR_RETURN(MessageFilter filter, message_filter(exchange));
  CO_ASSIGN_OR_RETURN(TopicPlaces places,
                      co_await on(pool, [&] { return topic_ends(broker, topic, partition); }));
  CO_RETURN_IF_ERROR(co_await begin_stream(response));
  if (!co_await response.write(": connected\n\n")) co_return Status();
  int silent = 0;
  while (co_await tick(exchange, stopping)) {
    auto found =
        co_await on(pool, [&] { return read_new(broker, topic, filter, kMessagesATick, places); });
    if (!found) {  // the topic went away
      std::string why = Json().set("detail", found.error().message).dump();
      if (!co_await response.write(event_text("gone", why))) co_return Status();
      break;
    }
    if (found->empty() && ++silent < kSilentTicksMax) continue;
    silent = 0;
    std::string text = found->empty() ? ": still here\n\n"
                                      : event_text("messages", Json(std::move(*found)).dump());
    if (!co_await response.write(text)) co_return Status();
  }
  co_return co_await response.end();
}

}  // namespace aichemy::serve::console
